"""New databases for a test: every test that asks for `engine` runs once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from deploy.lab.postgresql import PostgreSQLServer
from tests.migrated import migrated
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.ledger.schema import metadata

_NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path}/empty/ledger.db"
        return
    server = request.getfixturevalue("postgresql")
    name = f"empty{next(_NUMBERS)}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def shared_engine(postgresql: PostgreSQLServer) -> Iterator[Engine]:
    """A migrated database on PostgreSQL: emptying it takes far less time than making another."""
    postgresql.run("CREATE DATABASE shared")
    engine = open_engine(postgresql.url("shared"))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated, empty database, whose tables stay as they are."""
    if backend == "sqlite":
        engine = migrated(tmp_path / "ledger.db")
    else:
        engine = request.getfixturevalue("shared_engine")
        with engine.begin() as connection:
            # A replica's session asks no trigger and no foreign key; only a superuser may say so.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table in metadata.tables.values():
                connection.execute(delete(table))
    yield engine
    engine.dispose()


@pytest.fixture
def own_engine(empty_url: str) -> Iterator[Engine]:
    """A migrated, empty database of the test's own, whose tables it may alter."""
    engine = open_engine(empty_url)
    migrate(engine)
    yield engine
    engine.dispose()
