"""The revisions of the ledger's schema that this podcap knows, by the names of its migrations.

Alembic knows them, too, but to import it is a tenth of what a process does until it is ready, and most
processes find that nothing is to be migrated.
"""

from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
"""Alembic's script location."""

VERSIONS = "alembic_version"
"""The table in which Alembic keeps the revision of a database."""


@cache
def revisions() -> tuple[str, ...]:
    """All of them, the newest last: the numbers before the names in `migrations/versions`."""
    return tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))
