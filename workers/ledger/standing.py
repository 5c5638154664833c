"""How the ledger stands as a whole: figures about all captures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from workers.ledger.schema import captures
from workers.ledger.states import FINAL, WAITING, State


@dataclass(frozen=True, slots=True)
class Standing:
    """Figures of one moment.

    Attributes:
        captures: How many are in each state; every state is there.
        queue_age: Seconds since the oldest one that waits was asked for; 0 when none waits.
        unshown: How many have ended without their message showing it.
    """

    captures: Mapping[State, int]
    queue_age: float
    unshown: int


def read_standing(connection: Connection) -> Standing:
    """Reads the figures; one pass over an index each."""
    states = select(captures.c.state, func.count()).group_by(captures.c.state)
    found = {State(state): int(number) for state, number in connection.execute(states)}
    oldest = connection.scalar(select(func.min(captures.c.requested_at)).where(captures.c.state.in_(WAITING)))
    unshown = select(func.count()).where(
        captures.c.state.in_(FINAL), captures.c.shown.is_distinct_from(captures.c.state)
    )
    age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    return Standing(
        {state: found.get(state, 0) for state in State}, max(0.0, age), connection.scalar(unshown) or 0
    )
