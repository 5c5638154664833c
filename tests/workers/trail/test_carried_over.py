"""A database from before the trail: its moves become the first entries."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import workers.ledger
from workers.ledger.agreement import disagreement
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.trail.trail import Trail


def test_moves_from_before_the_trail_are_its_first_entries(empty_url: str) -> None:
    engine = open_engine(empty_url)
    config = Config()
    config.set_main_option("script_location", f"{workers.ledger.__path__[0]}/migrations")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(_CAPTURE))
        connection.execute(text(_MOVES))
        connection.commit()
    migrate(engine)
    entries = list(Trail(engine).entries())
    assert [(entry.number, entry.at, entry.event, entry.by) for entry in entries] == [
        (1, "2026-01-31T09:30:00.500000Z", "requested", "U1"),
        (2, "2026-01-31T09:30:01.000000Z", "queued", "admission"),
    ]
    assert {(entry.capture_id, entry.namespace, entry.pod) for entry in entries} == {
        ("cap-7f3k9q", "traefik", "cheddar")
    }
    assert Trail(engine).verify().ok
    assert disagreement(engine) is None
    engine.dispose()


_CAPTURE = """
INSERT INTO captures (id, idempotency_key, state, cluster, namespace, pod, seconds, filter, "full", team_id,
    channel_id, user_id, user_name, requested_at, expires_at)
VALUES ('cap-7f3k9q', 'trigger', 'queued', 'default', 'traefik', 'cheddar', 30, '', false, 'T1',
    'C1', 'U1', 'alice', '2026-01-31 09:30:00.500000', '2026-01-31 10:00:00.500000')
"""
_MOVES = """
INSERT INTO moves (number, capture_id, start, "end", at, "by") VALUES
    (1, 'cap-7f3k9q', NULL, 'requested', '2026-01-31 09:30:00.500000', 'U1'),
    (2, 'cap-7f3k9q', 'requested', 'queued', '2026-01-31 09:30:01.000000', 'admission')
"""
