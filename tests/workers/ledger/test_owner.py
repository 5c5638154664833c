"""The owner of the tables migrates and grants, or one sentence says why that is not enough."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from deploy.lab.postgresql import PostgreSQLServer
from tests.workers.ledger.installed import Installed, install, refusal, rights
from tests.workers.ledger.test_migrate import at_once
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.settings import SettingsError


@pytest.fixture
def installed(postgresql: PostgreSQLServer) -> Iterator[Installed]:
    with install(postgresql) as made:
        yield made


@pytest.fixture
def as_podcap(installed: Installed) -> Iterator[Engine]:
    """The database as podcap's role sees it, migrated by its owner."""
    engine = open_engine(installed.url)
    migrate(engine, installed.owner_url)
    yield engine
    engine.dispose()


def test_processes_that_all_have_the_owners_password_migrate_once(installed: Installed) -> None:
    assert at_once(installed.url, installed.owner_url) == [(0, "")] * 3
    engine = open_engine(installed.url)
    assert rights(engine, "trail") == {"SELECT", "INSERT"}
    engine.dispose()


def test_a_role_that_may_not_migrate_says_so_on_an_empty_database(installed: Installed) -> None:
    said = refusal(installed.url, None)
    assert said.startswith("PODCAP_DATABASE_URL: the schema of database podcap is not this podcap's")
    assert "python -m workers.ledger" in said
    assert "PODCAP_DATABASE_OWNER_URL" in said


def test_a_role_that_may_not_migrate_says_so_on_an_older_schema(
    as_podcap: Engine, installed: Installed
) -> None:
    as_podcap.dispose()
    installed.as_superuser(
        "DROP TABLE trail",
        "DROP FUNCTION trail_is_append_only",
        "CREATE TABLE moves (number serial PRIMARY KEY)",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    assert "may not change it" in refusal(installed.url, None)


def test_the_command_migrates_with_the_owner_and_says_what_is_wrong(
    installed: Installed, tmp_path: Path
) -> None:
    def command(**settings: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "workers.ledger"],
            env={"PYTHONPATH": str(Path(__file__).parents[3]), **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    status, said = command(PODCAP_DATABASE_URL=installed.url)
    assert (status, said.count("\n")) == (1, 1)
    both = {"PODCAP_DATABASE_URL": installed.url, "PODCAP_DATABASE_OWNER_URL": installed.owner_url}
    assert command(**both) == (0, "")
    assert command(PODCAP_DATABASE_URL=installed.url) == (0, "")


def test_rights_that_somebody_added_are_taken_away_by_the_next_migration(
    as_podcap: Engine, installed: Installed
) -> None:
    installed.as_superuser(
        "GRANT ALL ON trail TO podcap",
        "GRANT DELETE ON trail TO PUBLIC",
        "GRANT UPDATE (by) ON trail TO podcap",
    )
    migrate(as_podcap, installed.owner_url)
    assert rights(as_podcap, "trail") == {"SELECT", "INSERT"}
    with pytest.raises(ProgrammingError, match="permission denied"), as_podcap.begin() as connection:
        connection.exec_driver_sql("UPDATE trail SET by = 'nobody'")


@pytest.mark.parametrize(
    ("statement", "undone", "says"),
    [
        ("ALTER ROLE podcap SUPERUSER", "ALTER ROLE podcap NOSUPERUSER", "is a superuser"),
        ("GRANT podcap_owner TO podcap", "REVOKE podcap_owner FROM podcap", "owner of the trail's table"),
        ("ALTER SCHEMA public OWNER TO podcap", "SELECT 1", "owner of the trail's schema"),
        ("ALTER DATABASE podcap OWNER TO podcap", "SELECT 1", "owner of the trail's schema"),
        ("GRANT pg_write_all_data TO podcap", "REVOKE pg_write_all_data FROM podcap", "leave that role"),
        ("ALTER ROLE podcap CREATEROLE", "ALTER ROLE podcap NOCREATEROLE", "may make roles"),
        (
            "CREATE ROLE maker CREATEROLE; CREATE ROLE between IN ROLE maker ROLE podcap",
            "DROP ROLE maker; DROP ROLE between",
            "CREATEROLE of maker",
        ),
        (
            "CREATE ROLE other; GRANT TRIGGER ON trail TO other; GRANT other TO podcap",
            "DROP OWNED BY other; DROP ROLE other",
            "may change table trail",
        ),
    ],
)
def test_a_role_that_could_alter_the_trail_all_the_same_is_refused(
    as_podcap: Engine, installed: Installed, statement: str, undone: str, says: str
) -> None:
    as_podcap.dispose()
    installed.as_superuser(statement, "GRANT CONNECT ON DATABASE podcap TO podcap_owner")
    try:
        said = refusal(installed.url, installed.owner_url)
    finally:
        installed.as_superuser(undone)
    assert said.startswith("PODCAP_DATABASE_OWNER_URL: role podcap ")
    assert says in said


def test_two_urls_that_name_two_databases_are_found(installed: Installed) -> None:
    installed.server.run("CREATE DATABASE another OWNER podcap_owner")
    try:
        said = refusal(installed.url, installed.server.url("another", "podcap_owner", "choose one"))
    finally:
        installed.server.run("DROP DATABASE another WITH (FORCE)")
    assert "PODCAP_DATABASE_URL" in said


def test_an_owner_whose_password_is_wrong_is_named_by_its_own_setting(installed: Installed) -> None:
    wrong = installed.server.url("podcap", "podcap_owner", "wrong")
    assert refusal(installed.url, wrong).startswith("PODCAP_DATABASE_OWNER_URL: ")


def test_an_owner_makes_no_sense_with_sqlite(installed: Installed, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(SettingsError, match="leave it out with SQLite"):
        migrate(engine, installed.owner_url)
    engine.dispose()


def test_a_role_of_any_name_is_granted_its_rights(installed: Installed) -> None:
    name = 'Pod%s-cap "x"; --'
    quoted = '"Pod%s-cap ""x""; --"'
    installed.as_superuser(
        f"CREATE ROLE {quoted} LOGIN PASSWORD 'any'", f"GRANT CONNECT ON DATABASE podcap TO {quoted}"
    )
    engine = open_engine(installed.server.url("podcap", name, "any"))
    migrate(engine, installed.owner_url)
    assert rights(engine, "trail") == {"SELECT", "INSERT"}
    engine.dispose()
    installed.as_superuser(f"DROP OWNED BY {quoted}", f"DROP ROLE {quoted}")
