"""Whether the ledger says of each capture what the trail says last."""

from sqlalchemy import Engine, select

from workers.ledger.schema import captures, trail
from workers.ledger.states import State


def disagreement(engine: Engine) -> str | None:
    """A sentence on the first capture whose state is not its last move in the trail, or None."""
    last = (
        select(trail.c.event)
        .where(trail.c.capture_id == captures.c.id, trail.c.event.in_(State))
        .order_by(trail.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(captures.c.id, captures.c.state, last.label("told"))
        .where(last.is_distinct_from(captures.c.state))
        .order_by(captures.c.requested_at)
        .limit(1)
    )
    with engine.execution_options(reading=True).connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    told = "has no move of it" if row.told is None else f"says that it is {row.told}"
    return f"The ledger says that {row.id} is {row.state}, the trail {told}: the ledger was changed by hand."
