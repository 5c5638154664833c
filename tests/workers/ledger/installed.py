"""PostgreSQL, set up for podcap by the script in docs/database.md itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from deploy.lab.postgresql import PostgreSQLServer
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.settings import SettingsError

_DOCS = Path(__file__).parents[3] / "docs/database.md"
_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@dataclass(frozen=True)
class Installed:
    """Where the two roles find their database, and the superuser's hands."""

    server: PostgreSQLServer
    url: str
    owner_url: str

    def as_superuser(self, *statements: str) -> None:
        self.server.run(*statements, database="podcap")


@contextmanager
def install(server: PostgreSQLServer) -> Iterator[Installed]:
    """Makes the two roles and the database, and removes them."""
    (script,) = re.findall(r"```sql\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    server.psql(script)
    yield Installed(
        server,
        server.url("podcap", "podcap", "choose another"),
        server.url("podcap", "podcap_owner", "choose one"),
    )
    server.run("DROP DATABASE podcap WITH (FORCE)", "DROP ROLE podcap", "DROP ROLE podcap_owner")


def rights(engine: Engine, table: str) -> set[str]:
    """What the engine's role may do with a table."""
    query = text("SELECT has_table_privilege(:table, :privilege)")
    with engine.connect() as connection:
        return {
            privilege
            for privilege in _PRIVILEGES
            if connection.scalar(query, {"table": table, "privilege": privilege})
        }


def refusal(url: str, owner_url: str | None) -> str:
    """The one sentence with which migrating is refused."""
    engine = open_engine(url)
    try:
        migrate(engine, owner_url)
    except SettingsError as error:
        said = str(error)
    else:
        said = ""
    engine.dispose()
    assert said.startswith("PODCAP_DATABASE_")
    assert "\n" not in said
    assert "choose" not in said
    return said
