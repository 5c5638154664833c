"""podcap's role on PostgreSQL can do its work, and cannot alter the trail."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError, ProgrammingError

from deploy.lab.postgresql import PostgreSQLServer
from tests.moves import moves
from tests.orders import order
from tests.walk import lease_of, walk
from tests.workers.ledger.installed import Installed, install, rights
from tests.workers.ledger.test_migrate import at_once
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.ledger.rights import APPEND_ONLY
from workers.ledger.schema import metadata
from workers.ledger.states import State


@pytest.fixture(scope="module")
def installed(postgresql: PostgreSQLServer) -> Iterator[Installed]:
    with install(postgresql) as made:
        yield made


@pytest.fixture(scope="module")
def as_podcap(installed: Installed) -> Iterator[Engine]:
    """The database as podcap's role sees it, migrated by its owner and with three entries in the trail."""
    engine = open_engine(installed.url)
    migrate(engine, installed.owner_url)
    for user in ("U1", "U2", "U3"):
        Ledger(engine).record(None, "audited", by=user)
    yield engine
    engine.dispose()


def test_podcaps_role_has_exactly_the_rights_that_are_documented(as_podcap: Engine) -> None:
    assert {table: rights(as_podcap, table) for table in inspect(as_podcap).get_table_names()} == {
        **{table: {"SELECT", "INSERT", "UPDATE", "DELETE"} for table in metadata.tables},
        **{table: {"SELECT", "INSERT"} for table in APPEND_ONLY},
        "alembic_version": {"SELECT"},
    }


def test_no_table_takes_numbers_from_a_sequence_that_the_role_would_need_rights_on(as_podcap: Engine) -> None:
    assert inspect(as_podcap).get_sequence_names() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET by = 'nobody' WHERE number = 2",
        "UPDATE trail SET hash = hash",
        "DELETE FROM trail WHERE number = 3",
        "TRUNCATE trail",
        "DROP TABLE trail",
        "DROP TABLE captures, heartbeats",
        "ALTER TABLE trail ADD COLUMN more text",
        "ALTER TABLE trail RENAME TO old",
        "ALTER TABLE trail OWNER TO podcap",
        "ALTER TABLE trail DISABLE TRIGGER ALL",
        "ALTER TABLE trail DISABLE TRIGGER trail_is_append_only",
        "DROP TRIGGER trail_is_append_only ON trail",
        "CREATE TRIGGER mine BEFORE INSERT ON trail EXECUTE FUNCTION trail_is_append_only()",
        "DROP FUNCTION trail_is_append_only CASCADE",
        "CREATE OR REPLACE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        "CREATE RULE mine AS ON INSERT TO trail DO INSTEAD NOTHING",
        "INSERT INTO trail SELECT * FROM trail ON CONFLICT (number) DO UPDATE SET by = 'nobody'",
        "MERGE INTO trail USING (SELECT 2 AS n) AS s ON number = n WHEN MATCHED THEN DELETE",
        "SELECT * FROM trail FOR UPDATE",
        "LOCK TABLE trail IN EXCLUSIVE MODE",
        "CREATE TABLE mine (number integer)",
        "DROP SCHEMA public CASCADE",
        "SET session_replication_role = replica",
        "SET ROLE podcap_owner",
        "GRANT podcap_owner TO podcap",
        "UPDATE alembic_version SET version_num = '0001'",
        "COPY trail TO PROGRAM 'cat'",
        "DROP TRIGGER trail_only_at_its_end ON trail",
        "CREATE OR REPLACE FUNCTION trail_only_at_its_end() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    ],
)
def test_podcaps_role_cannot_alter_the_trail(as_podcap: Engine, statement: str) -> None:
    before = list(Ledger(as_podcap).trail.entries())
    with pytest.raises(ProgrammingError) as raised, as_podcap.begin() as connection:
        connection.exec_driver_sql(statement)
    assert getattr(raised.value.orig, "sqlstate", "") == "42501"  # insufficient_privilege
    assert list(Ledger(as_podcap).trail.entries()) == before


def test_podcaps_role_cannot_take_the_last_number_so_that_nothing_can_be_appended(as_podcap: Engine) -> None:
    with pytest.raises(DBAPIError, match="append-only"), as_podcap.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO trail VALUES ({2**63 - 1}, '2026', 'audited', NULL, NULL, NULL, 'U1', '{{}}', 'x')"
        )
    number = Ledger(as_podcap).trail.head().number
    assert Ledger(as_podcap).record(None, "audited", by="U1").number == number + 1


def test_a_grant_that_podcaps_role_makes_itself_changes_nothing(as_podcap: Engine) -> None:
    # PostgreSQL answers with a warning, not with an error.
    with as_podcap.begin() as connection:
        connection.exec_driver_sql("GRANT ALL ON trail TO podcap")
    assert rights(as_podcap, "trail") == {"SELECT", "INSERT"}


def test_podcaps_role_cannot_drop_the_database(installed: Installed) -> None:
    engine = open_engine(installed.url).execution_options(isolation_level="AUTOCOMMIT")
    with (
        pytest.raises(ProgrammingError, match="must be owner of database podcap"),
        engine.connect() as connection,
    ):
        connection.exec_driver_sql("DROP DATABASE podcap")
    engine.dispose()


def test_the_owner_is_stopped_by_the_triggers(as_podcap: Engine, installed: Installed) -> None:
    owner = open_engine(installed.owner_url)
    for statement in ("UPDATE trail SET by = 'nobody'", "DELETE FROM trail", "TRUNCATE trail"):
        with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
            connection.exec_driver_sql(statement)
    owner.dispose()
    assert Ledger(as_podcap).trail.verify().ok


def test_a_capture_goes_its_whole_way_as_podcaps_role(as_podcap: Engine) -> None:
    ledger = Ledger(as_podcap)
    capture, _ = ledger.request(order())
    assert ledger.note_message(capture.id, "1.1")
    ledger.published(capture.id)
    walk(ledger, capture.id, State.QUEUED, State.TAPPING, State.CAPTURING)
    first = ledger.get(capture.id)
    assert ledger.leases.beat([lease_of(first)]) == []
    assert ledger.leases.take_away(first, by="beat") is not None
    ledger.leases.take(capture.id, "another worker")
    assert ledger.request_stop(capture.id, "U2").stop_requested_by == "U2"
    walk(ledger, capture.id, State.COLLECTING, State.SUMMARISING, State.DELIVERING, State.STOPPED)
    assert [move[0] for move in moves(ledger, capture.id)][-1] is State.STOPPED
    assert ledger.trail.verify().ok
    # Whatever else the ledger keeps, now or later, the role may write.
    with as_podcap.begin() as connection:
        for table in set(metadata.tables) - APPEND_ONLY - {"captures"}:
            connection.execute(metadata.tables[table].delete())
        connection.execute(metadata.tables["captures"].delete())


def test_processes_without_the_owners_password_start_on_a_schema_that_is_up_to_date(
    as_podcap: Engine, installed: Installed
) -> None:
    Ledger(as_podcap).ping()
    assert at_once(installed.url, processes=3) == [(0, "")] * 3
