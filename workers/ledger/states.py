"""The states of a capture, which moves between them exist, and who makes them.

    requested -> queued -> tapping -> capturing -> collecting -> summarising -> delivering -> delivered
              -> awaiting approval, awaiting confirmation -> queued                        -> stopped

A request is written as `requested` before anybody answers it. Admission (the bot, beat when the bot died, or
a terminal) judges it: `queued`, `awaiting approval` of a second person, `awaiting confirmation` of the asker
where it is more than they may have thought, or `denied`. A worker takes a queued
capture, and from then on only the worker that holds its lease moves it (`workers.ledger.lease`). A capture
that somebody stopped goes the whole way with what it has, and ends as `stopped`.

A worker's death is no move: its lease is taken away, another worker takes the capture over in the state it is
in and goes on from there. Housekeeping (beat, and a terminal for captures of terminals) ends what nobody can
go on with.
"""

from datetime import timedelta
from enum import StrEnum

EXPIRES_AFTER = timedelta(minutes=30)
"""How long a capture may wait for a worker. Later its answer would be about another moment."""


class State(StrEnum):
    """Where a capture stands."""

    REQUESTED = "requested"
    AWAITING_APPROVAL = "awaiting approval"
    AWAITING_CONFIRMATION = "awaiting confirmation"
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


class Maker(StrEnum):
    """Who makes a move."""

    ADMISSION = "admission"
    """Whoever judges a request: the bot, beat when the bot died, or a terminal."""
    APPROVER = "approver"
    """The second person where one is needed, through the bot."""
    PERSON = "person"
    """Whoever presses Stop before a worker took it, and the asker who says that so much is meant."""
    WORKER = "worker"
    """The worker that holds the lease, and no other."""
    HOUSE = "housekeeping"
    """Beat, and a terminal for captures of terminals: what waited too long or has nobody left."""


FINAL = frozenset({State.DELIVERED, State.FAILED, State.STOPPED, State.DENIED, State.EXPIRED})
"""States that nothing leaves."""

WAITING = frozenset({State.REQUESTED, State.AWAITING_APPROVAL, State.AWAITING_CONFIRMATION, State.QUEUED})
"""States in which no worker has had the capture yet."""

ACTIVE = frozenset(State) - FINAL - WAITING
"""States in which a worker is at it and beats its heart, or another one is to go on where it died."""

_BY_THE_WORKER: dict[State, set[State]] = {
    State.QUEUED: {State.TAPPING},
    State.TAPPING: {State.CAPTURING, State.DENIED, State.STOPPED, State.FAILED},
    State.CAPTURING: {State.COLLECTING, State.FAILED},
    State.COLLECTING: {State.SUMMARISING, State.FAILED},
    State.SUMMARISING: {State.DELIVERING, State.FAILED},
    State.DELIVERING: {State.DELIVERED, State.STOPPED, State.FAILED},
}

_BEFORE_A_WORKER: dict[State, dict[State, set[Maker]]] = {
    State.REQUESTED: {
        State.QUEUED: {Maker.ADMISSION},
        State.AWAITING_APPROVAL: {Maker.ADMISSION},
        State.AWAITING_CONFIRMATION: {Maker.ADMISSION},
        State.DENIED: {Maker.ADMISSION},
        State.FAILED: {Maker.ADMISSION, Maker.HOUSE},
        State.EXPIRED: {Maker.HOUSE},
        State.STOPPED: {Maker.PERSON},
    },
    State.AWAITING_APPROVAL: {
        State.QUEUED: {Maker.APPROVER},
        State.DENIED: {Maker.APPROVER},
        State.FAILED: {Maker.APPROVER, Maker.HOUSE},
        State.EXPIRED: {Maker.HOUSE},
        State.STOPPED: {Maker.PERSON},
    },
    State.AWAITING_CONFIRMATION: {
        State.QUEUED: {Maker.PERSON},
        State.FAILED: {Maker.HOUSE},
        State.EXPIRED: {Maker.HOUSE},
        State.STOPPED: {Maker.PERSON},
    },
    State.QUEUED: {
        State.FAILED: {Maker.HOUSE},
        State.EXPIRED: {Maker.HOUSE},
        State.STOPPED: {Maker.PERSON},
    },
}

MOVES: frozenset[tuple[State, State, Maker]] = frozenset(
    [(start, end, Maker.WORKER) for start, ends in _BY_THE_WORKER.items() for end in ends]
    + [
        (start, end, maker)
        for start, ends in _BEFORE_A_WORKER.items()
        for end, makers in ends.items()
        for maker in makers
    ]
    + [(start, State.FAILED, Maker.HOUSE) for start in ACTIVE]
)
"""Every move there is, as (from, to, who makes it)."""


def sources(end: State, maker: Maker) -> frozenset[State]:
    """The states from which `maker` can bring a capture to `end` in one move."""
    return frozenset(start for start, target, who in MOVES if target is end and who is maker)


class IllegalMoveError(Exception):
    """Somebody else has moved the capture, or the move does not exist; nothing was written."""
