"""The asker's word that so many taps are meant, before a large capture begins."""

from collections.abc import Mapping

from workers.admission import show
from workers.ledger.capture import Capture
from workers.ledger.states import EXPIRES_AFTER, IllegalMoveError, Maker, State
from workers.services import Services


def confirm(
    services: Services, capture_id: str, *, user_id: str, who: Mapping[str, str] | None = None
) -> Capture | str:
    """Somebody pressed Capture.

    Args:
        services: The ledger and the place.
        capture_id: The capture.
        user_id: Who pressed.
        who: What the trail is to know of them besides their id.

    Returns:
        The capture, queued; or why it is not, in one sentence for that person.

    Raises:
        KeyError: There is no such capture.
    """
    capture = services.ledger.get(capture_id)
    if capture.state is not State.AWAITING_CONFIRMATION:
        return f"`{capture_id}` waits for nobody's word any more: it is {capture.state}."
    if capture.user_id != user_id:
        return f"Only <@{capture.user_id}>, who asked for it, can say that so much is meant."
    try:
        # It may wait for a worker as long as one that nobody had to be asked about.
        expires = services.ledger.clock() + EXPIRES_AFTER
        capture = services.ledger.move(
            capture_id, State.QUEUED, by=user_id, maker=Maker.PERSON, trail=who or {}, expires_at=expires
        )
    except IllegalMoveError:
        return (
            f"`{capture_id}` waits for nobody's word any more: it is {services.ledger.get(capture_id).state}."
        )
    show(services, capture)
    return capture
