"""The states of a capture, and which moves between them exist.

    requested -> queued -> tapping -> capturing -> collecting -> summarising -> delivering -> delivered
                                                                                           -> stopped

A request is written as `requested` before anybody answers it. The bot (or, when the bot died, beat)
admits it: `queued`, or `denied` by the policy. A worker takes a queued capture by moving it to `tapping`;
only one can. A capture somebody stopped goes the whole way with what it has, and ends as `stopped`.

A capture whose worker died while its packets were still on the node becomes `queued` once more. That is no
move of these, but `Ledger.requeue`, so that admitting a request twice never takes a capture from its worker.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a capture stands."""

    REQUESTED = "requested"
    QUEUED = "queued"
    TAPPING = "tapping"
    CAPTURING = "capturing"
    COLLECTING = "collecting"
    SUMMARISING = "summarising"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"
    DENIED = "denied"
    EXPIRED = "expired"


FINAL = frozenset({State.DELIVERED, State.FAILED, State.STOPPED, State.DENIED, State.EXPIRED})
"""States that nothing leaves."""

WAITING = frozenset({State.REQUESTED, State.QUEUED})
"""States in which nobody works on the capture yet."""

ACTIVE = frozenset(State) - FINAL - WAITING
"""States in which a worker is at it and beats its heart."""

ON_THE_NODE = frozenset({State.TAPPING, State.CAPTURING, State.COLLECTING})
"""States in which another worker finds everything where the first one left it: in the agent pod."""

_AHEAD: dict[State, set[State]] = {
    State.REQUESTED: {State.QUEUED, State.DENIED, State.EXPIRED, State.STOPPED},
    State.QUEUED: {State.TAPPING, State.DENIED, State.EXPIRED, State.STOPPED},
    State.TAPPING: {State.CAPTURING, State.DENIED, State.STOPPED},
    State.CAPTURING: {State.COLLECTING},
    State.COLLECTING: {State.SUMMARISING},
    State.SUMMARISING: {State.DELIVERING},
    State.DELIVERING: {State.DELIVERED, State.STOPPED},
}

MOVES: frozenset[tuple[State, State]] = frozenset(
    (start, end) for start, ends in _AHEAD.items() for end in ends | {State.FAILED}
)
"""Every move there is, as (from, to). Whatever is not final can fail."""


def sources(end: State) -> frozenset[State]:
    """The states from which `end` can be reached in one move."""
    return frozenset(start for start, target in MOVES if target is end)
