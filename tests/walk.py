"""Bringing a capture to a state by the moves that exist, as whoever may make them."""

from typing import Any

from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.ledger import Ledger
from workers.ledger.states import MOVES, Maker, State

WORKER = "worker@host"


def lease_of(capture: Capture) -> Lease:
    """The lease of whoever has the capture."""
    return Lease(capture.id, capture.worker or "", capture.token)


def walk(ledger: Ledger, capture_id: str, *states: State, worker: str = WORKER, **facts: Any) -> Capture:
    """Moves a capture through these states, each by one who may; `facts` are known at the last of them."""
    capture = ledger.get(capture_id)
    for state in states:
        known = facts if state is states[-1] else {}
        makers = [who for start, end, who in sorted(MOVES) if (start, end) == (capture.state, state)]
        if state is State.TAPPING:
            capture, _ = ledger.leases.take(capture_id, worker)
        elif Maker.WORKER in makers:
            capture = ledger.move_held(lease_of(capture), state, **known)
        else:
            maker = makers[0] if makers else Maker.ADMISSION
            capture = ledger.move(capture_id, state, by="test", maker=maker, **known)
    return capture
