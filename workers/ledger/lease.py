"""A worker's claim on a capture.

Its token grows by one each time a capture is taken, and each time it is taken away or let go. The ledger
takes a worker's writes only with the token that the capture has in that very transaction: a worker that hung,
was taken for dead and comes back can write nothing any more, whatever the clocks say.
"""

from dataclasses import dataclass

from workers.ledger.states import IllegalMoveError


@dataclass(frozen=True, slots=True)
class Lease:
    """That `worker` has the capture, until its token is another one.

    Attributes:
        capture_id: The capture.
        worker: The process that has it, as the ledger names it.
        token: What fences off everybody else's writes.
        takeover: Whether another worker had it before, so that any step may have been made already.
    """

    capture_id: str
    worker: str
    token: int
    takeover: bool = False


class LeaseLostError(IllegalMoveError):
    """The worker was taken for dead, and the capture is somebody else's now; nothing was written."""
