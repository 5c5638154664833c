"""From an accepted capture to a place in the queue; a queue that is out of reach loses nothing."""

from workers.admission import accept, show
from workers.ledger.capture import Capture
from workers.queue import publish
from workers.services import Services


def admit(services: Services, capture: Capture, *, again: bool = False) -> None:
    """Refuses a capture in state `requested`, or gives it its message and its place in the queue.

    `again` says that it was tried before; see `accept`.
    """
    queued = accept(services, capture, again=again)
    if queued is not None and not enqueue(services, queued):
        show(services, queued, queue_reachable=False)


def enqueue(services: Services, capture: Capture) -> bool:
    """Publishes a queued capture's id; whether Redis took it."""
    if not publish(capture.id, capture.cluster):
        return False
    services.ledger.published(capture.id)
    return True
