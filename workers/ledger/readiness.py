"""Whether the ledger can be used now, as one sentence when it cannot."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from workers.ledger.ledger import Ledger

_MIGRATIONS = Path(__file__).parent / "migrations"


def why_unready(ledger: Ledger) -> str | None:
    """None when the database answers and its schema is at least this podcap's; a newer one is no fault.

    No word of the driver's is in it: a probe is answered to whoever asks.
    """
    try:
        ledger.ping()
    except SQLAlchemyError:
        return "The ledger's database does not answer: requests cannot be written down."
    try:
        schema = ledger.schema()
    except SQLAlchemyError:
        schema = None
    if schema is None or schema in _older():
        return (
            "The ledger's database has not this podcap's schema: run `python -m workers.ledger`, "
            "or restart a process whose role may migrate."
        )
    return None


@cache
def _older() -> frozenset[str]:
    """The revisions before the newest that this podcap knows."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    return frozenset(script.revision for script in scripts.walk_revisions()) - set(scripts.get_heads())
