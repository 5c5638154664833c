"""Workers that are killed at a chosen moment: `python -m tests.e2e.dying CAPTURE=MOMENT…`.

Each is a process of its own, with podcap's settings in its environment, and really killed. A moment is a
state, of which the ledger has just heard, an event of the trail, or `LISTENS`.
"""

import os
import signal
import sys
from typing import Any

from workers.capture import run
from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.leases import Leases
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.services import open_services
from workers.spool.beginning import Beginning
from workers.spool.spool import Spool

LISTENS = "tcpdump listens"
"""tcpdump was started, and nobody has written that down."""

BEGINS = "several begin"
"""A node's taps were told to begin, and nobody has written that down."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at(moment: str) -> None:
    take, move, record, start = Leases.take, Ledger.move_held, Ledger.record, Spool.start

    def taken(self: Leases, capture_id: str, worker: str) -> tuple[Capture, Lease]:
        found = take(self, capture_id, worker)
        if moment == State.TAPPING:
            _die()
        return found

    def moved(self: Ledger, lease: Lease, end: State, **known: Any) -> Capture:
        capture = move(self, lease, end, **known)
        if moment == end:
            _die()
        return capture

    def recorded(self: Ledger, capture_id: str | None, event: str, **known: Any) -> Any:
        if moment == event:
            _die()
        return record(self, capture_id, event, **known)

    def started(self: Spool, *where: Any) -> str:
        heard = start(self, *where)
        if moment == LISTENS:
            _die()
        return heard

    Spool.start = started  # type: ignore[method-assign]
    if moment == BEGINS:
        _die_when_begun()
    Leases.take = taken  # type: ignore[method-assign]
    Ledger.move_held, Ledger.record = moved, recorded  # type: ignore[method-assign]


def _die_when_begun() -> None:
    began = Beginning.began

    def begun(self: Beginning) -> list[int | None]:
        began(self)
        _die()
        return []

    Beginning.began = begun  # type: ignore[method-assign]


def main() -> None:
    """Ends when all have died; says which did not."""
    children = {}
    for word in sys.argv[1:]:
        child = os.fork()
        if child == 0:
            capture_id, _, moment = word.partition("=")
            _die_at(moment)
            run(open_services(), capture_id)
            os._exit(0)
        children[child] = word
    for child, word in children.items():
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"{word} was not killed")


if __name__ == "__main__":
    main()
