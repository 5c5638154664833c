"""Letting a running capture run longer."""

from collections.abc import Mapping
from dataclasses import replace

from workers.approval import approver_refusal
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.permission import judge
from workers.place import PlaceError
from workers.request.duration import LONGEST_SECONDS, shown
from workers.services import Services
from workers.thread.messages import EXTEND_SECONDS, can_be_extended


def extend(
    services: Services, capture_id: str, *, user_id: str, who: Mapping[str, str] | None = None
) -> str | None:
    """Somebody pressed +30s: a running capture runs longer, as far as the policy allows them to ask for that.

    `who` is what the trail is to know of them besides their id.

    Returns:
        Why not, in one sentence for that person; None when it does.
    """
    capture = services.ledger.get(capture_id)
    seconds = capture.seconds + EXTEND_SECONDS
    if not can_be_extended(capture):
        return f"`{capture_id}` cannot run longer: it is {_why_not(capture)}."
    asked = replace(capture, user_id=user_id, user_email=None, seconds=seconds)
    try:
        judgement = judge(services, asked)
        refusal = judgement.refusal or approver_refusal(services, judgement, capture, user_id)
    except PlaceError as error:
        return f"Whether this is allowed could not be asked: {error}"
    if refusal is not None:
        return refusal
    extended = services.ledger.extend(capture_id, user_id, seconds=seconds, who=who)
    if extended.seconds < seconds:
        return f"`{capture_id}` cannot run longer: it is {_why_not(extended)}."
    return None


def _why_not(capture: Capture) -> str:
    if capture.state is not State.CAPTURING:
        return capture.state
    if capture.stop_requested_by is not None:
        return "stopping"
    return f"at the longest there is, {shown(LONGEST_SECONDS)}, or nearly"
