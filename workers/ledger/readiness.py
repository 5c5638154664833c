"""Whether the ledger can be used now, as one sentence when it cannot."""

from sqlalchemy.exc import SQLAlchemyError

from workers.ledger.ledger import Ledger
from workers.ledger.revisions import revisions


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
    if schema is None or schema in revisions()[:-1]:
        return (
            "The ledger's database has not this podcap's schema: run `python -m workers.ledger`, "
            "or restart a process whose role may migrate."
        )
    return None
