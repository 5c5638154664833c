"""A migrated, empty ledger in SQLite: migrated once and copied, because migrating takes 0.1 s of CPU."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate


def migrated(path: Path) -> Engine:
    """The engine of a new database in this file."""
    path.write_bytes(_database())
    return open_engine(f"sqlite:///{path}")


@cache
def _database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        engine = open_engine(f"sqlite:///{path}")
        migrate(engine)
        engine.dispose()
        return path.read_bytes()
