import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from deploy.lab.postgresql import PostgreSQLServer
from tests.moves import moves
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import _ADVISORY_LOCK, migrate
from workers.ledger.revisions import MIGRATIONS, revisions
from workers.ledger.schema import metadata
from workers.ledger.states import Maker, State
from workers.ledger.tap_record import TapRecord, TapState
from workers.settings import SettingsError

# Each waits for the same moment, so that they meet at the empty database.
_PROCESS = """
import sys
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
print("ready", flush=True)
sys.stdin.read()
migrate(open_engine(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
"""

_FIRST_CAPTURE = (
    """
    INSERT INTO captures (id, idempotency_key, state, cluster, namespace, pod, seconds, filter, "full",
        team_id, channel_id, user_id, user_name, requested_at, expires_at)
    VALUES ('cap-222222', 'trigger', 'queued', 'default', 'traefik', 'cheddar', 30, 'port 80', true,
        'T1', 'C1', 'U1', 'alice', '2026-01-31 09:30:00.250000', '2026-01-31 10:00:00.250000')
    """,
    """
    INSERT INTO moves (capture_id, start, "end", at, by) VALUES
        ('cap-222222', NULL, 'requested', '2026-01-31 09:30:00.250000', 'U1'),
        ('cap-222222', 'requested', 'queued', '2026-01-31 09:30:01.000000', 'bot')
    """,
    """
    INSERT INTO heartbeats (capture_id, worker, at)
    VALUES ('cap-222222', 'worker', '2026-01-31 09:30:02.000000')
    """,
)


def at_once(*urls: str, processes: int = 3) -> list[tuple[int, str]]:
    """Lets processes migrate at once; how each ended and what it wrote."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, *urls],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    ends = []
    for process in started:
        errors = process.communicate()[1]
        ends.append((process.returncode, errors))
    return ends


def tables(engine: Engine) -> list[str]:
    return sorted(inspect(engine).get_table_names())


def test_the_migrations_build_exactly_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_processes_that_start_together_on_an_empty_database_migrate_once(empty_url: str) -> None:
    assert at_once(empty_url) == [(0, "")] * 3
    engine = open_engine(empty_url)
    assert tables(engine) == sorted([*metadata.tables, "alembic_version"])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(own_engine: Engine) -> None:
    before = tables(own_engine)
    Ledger(own_engine).record(None, "audited", by="U1")
    migrate(own_engine)
    assert tables(own_engine) == before
    assert Ledger(own_engine).trail.verify().ok


def test_the_revisions_that_podcap_knows_are_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest_first = ScriptDirectory.from_config(config).walk_revisions()
    assert list(reversed(revisions())) == [script.revision for script in newest_first]


def test_where_nothing_is_to_be_migrated_alembic_is_not_imported(
    own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrading = "workers.ledger.upgrade"
    monkeypatch.delitem(sys.modules, upgrading)
    migrate(own_engine)
    assert upgrading not in sys.modules


def test_captures_of_the_first_schema_are_there_in_the_newest(empty_url: str) -> None:
    engine = open_engine(empty_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _FIRST_CAPTURE:
            connection.exec_driver_sql(statement)
    migrate(engine)
    ledger = Ledger(engine)
    capture = ledger.get("cap-222222")
    assert (capture.user_id, capture.full, capture.started_at) == ("U1", True, None)
    assert capture.requested_at == datetime(2026, 1, 31, 9, 30, 0, 250000, tzinfo=UTC)
    assert moves(ledger, "cap-222222") == [(State.REQUESTED, "U1"), (State.QUEUED, "bot")]
    assert ledger.trail.verify().ok
    expired = ledger.move("cap-222222", State.EXPIRED, by="beat", maker=Maker.HOUSE)
    assert (expired.state, expired.worker, expired.token) == (State.EXPIRED, None, 0)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        # The table of a later step is in its way, so that the steps before it are undone.
        connection.execute(text("CREATE TABLE trail (mine INTEGER)"))
    with pytest.raises(SettingsError, match=r"PODCAP_DATABASE_URL: .*trail.* already exists"):
        migrate(engine)
    assert tables(engine) == ["trail"]
    engine.dispose()


def test_the_schema_of_a_newer_podcap_is_left_alone_and_named(own_engine: Engine) -> None:
    with own_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="newer than this podcap"):
        migrate(own_engine)


def test_a_database_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match=r"^PODCAP_DATABASE_URL: [^\n]*unable to open database file"):
        migrate(open_engine(f"sqlite:///{tmp_path}/folder"))


def test_a_process_whose_migration_dies_half_way_holds_up_nobody(postgresql: PostgreSQLServer) -> None:
    postgresql.run("CREATE DATABASE halfway")
    url = postgresql.url("halfway")
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        waiting = subprocess.Popen(
            [sys.executable, "-c", _PROCESS, url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        with engine.connect() as other:
            while not other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert waiting.poll() is None
        connection.invalidate()  # closes its socket, as the death of a process does
    assert waiting.wait() == 0
    assert tables(engine) == sorted([*metadata.tables, "alembic_version"])
    engine.dispose()


def test_a_capture_that_was_under_way_before_there_were_leases_is_taken_over(empty_url: str) -> None:
    engine = open_engine(empty_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _FIRST_CAPTURE:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE captures SET state = 'capturing'")
    migrate(engine)
    ledger = Ledger(engine)
    ((capture, beat),) = ledger.watch.beats()
    assert beat is None
    assert ledger.leases.take_away(capture, by="beat") is not None
    taken, lease = ledger.leases.take(capture.id, "worker@host")
    assert (taken.state, lease.takeover) == (State.CAPTURING, True)
    (tap,) = ledger.taps.of(capture.id)
    assert tap == TapRecord(0, namespace="traefik", pod="cheddar", state=TapState.CAPTURING)
    engine.dispose()
