"""A ledger in a new database, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from deploy.lab.postgresql import PostgreSQLServer
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.rights import grant


@pytest.fixture(scope="session")
def restricted_engine(postgresql: PostgreSQLServer, shared_engine: Engine) -> Iterator[Engine]:
    """The shared database as a role that has podcap's rights and no more."""
    postgresql.run("CREATE ROLE restricted LOGIN PASSWORD 'restricted'")
    with shared_engine.begin() as connection:
        grant(connection, "restricted")
    engine = open_engine(postgresql.url("shared", "restricted", "restricted"))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(engine: Engine, backend: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated, empty database, on PostgreSQL as a role that has podcap's rights and no more."""
    if backend == "sqlite":
        yield engine
        return
    restricted: Engine = request.getfixturevalue("restricted_engine")
    yield restricted
    restricted.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)
