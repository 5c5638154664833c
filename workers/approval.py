"""A second person's word on a capture, where a rule of the policy asks for it."""

from collections.abc import Mapping
from dataclasses import replace

from workers.admission import show
from workers.ledger.capture import Capture
from workers.ledger.states import EXPIRES_AFTER, IllegalMoveError, Maker, State
from workers.permission import Judgement, judge
from workers.place import NotHereError, PlaceError
from workers.policy.decide import may_approve
from workers.services import Services


def decide_approval(
    services: Services,
    capture_id: str,
    *,
    user_id: str,
    approved: bool,
    who: Mapping[str, str] | None = None,
) -> Capture | str:
    """Somebody pressed Approve or Deny: the first whom the rule names decides, whoever else presses.

    Args:
        services: Policy, ledger and place.
        capture_id: The capture.
        user_id: Who pressed.
        approved: What they pressed.
        who: What the trail is to know of them besides their id.

    Returns:
        The capture, queued or denied; or why it was not decided, in one sentence for that person.

    Raises:
        KeyError: There is no such capture.
    """
    capture = services.ledger.get(capture_id)
    if capture.state is not State.AWAITING_APPROVAL:
        return _decided(capture)
    try:
        # By the policy as it is now, for who asked and for who presses.
        judgement = judge(services, capture)
        refusal = approver_refusal(services, judgement, capture, user_id)
    except PlaceError as error:
        return f"Whether you may decide this could not be asked: {error}"
    if judgement.refusal is not None:
        return f"The policy does not allow what `{capture_id}` asks for any more: it expires by itself."
    if refusal is not None:
        return refusal
    try:
        return _decide(services, capture, user_id, approved=approved, who=who or {})
    except IllegalMoveError:
        return _decided(services.ledger.get(capture_id))


def approver_refusal(services: Services, judgement: Judgement, capture: Capture, user_id: str) -> str | None:
    """Why this person may not decide about a capture for which a rule wants approval; None when they may.

    Raises:
        PlaceError: The place does not say who they are.
    """
    if judgement.approval is None:
        return None
    asked = replace(capture, user_id=user_id, user_email=None)
    try:
        person = services.place.asker(asked, services.policy())
    except NotHereError as error:
        return str(error)
    return may_approve(judgement.approval, person, asked_by=capture.user_id)


def _decide(
    services: Services, capture: Capture, user_id: str, *, approved: bool, who: Mapping[str, str]
) -> Capture:
    if approved:
        # It may wait for a worker as long as one that needed nobody.
        capture = services.ledger.move(
            capture.id,
            State.QUEUED,
            by=user_id,
            maker=Maker.APPROVER,
            trail=who,
            approved_by=user_id,
            expires_at=services.ledger.clock() + EXPIRES_AFTER,
            waits_for=None,
        )
    else:
        capture = services.ledger.move(
            capture.id,
            State.DENIED,
            by=user_id,
            maker=Maker.APPROVER,
            trail=who,
            sentence=f"<@{user_id}> did not approve it.",
            waits_for=None,
        )
    show(services, capture)
    return capture


def _decided(capture: Capture) -> str:
    if capture.approved_by is not None:
        return f"`{capture.id}` was approved already, by <@{capture.approved_by}>."
    return f"`{capture.id}` waits for no approval any more: it is {capture.state}."
