"""From a request in the ledger to a capture that may be made, or to a refusal of one sentence.

Runs after the ack in the bot's listener, in beat for a request whose bot died before it came this far, and in
the terminal.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workers.cluster.errors import ClusterError
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.states import FINAL, WAITING, IllegalMoveError, Maker, State
from workers.limits import Limits
from workers.permission import Judgement, judge
from workers.place import PlaceError
from workers.services import Services
from workers.store_room import refuse_full_store
from workers.thread.words import count

log = logging.getLogger(__name__)

BY = "admission"


def accept(services: Services, capture: Capture, *, again: bool = False) -> Capture | None:
    """Refuses a capture in state `requested`, or gives it its place to report to and moves it to `queued`.

    When the place fails on the way the asker is told, once (not when `again`); beat tries until it expires.

    Returns:
        The queued capture; None when it was refused, waits (for approval, too) or is somebody else's.
    """
    try:
        return _accept(services, capture, again=again)
    except IllegalMoveError:
        log.info("somebody else admitted it")
    except PlaceError as error:
        if error.lasting:
            end(services, capture, State.FAILED, str(error))
            return None
        log.warning("not admitted yet: %s", error)
        if not again:
            tell(services, capture, _waits(capture, error))
    return None


def _accept(services: Services, capture: Capture, *, again: bool) -> Capture | None:
    if capture.user_email is None:
        capture = services.ledger.note(capture.id, user_email=services.place.email(capture))
    judgement = judge(services, capture)
    if judgement.refusal is not None:
        end(services, capture, State.DENIED, judgement.refusal, judgement.facts())
        return None
    if capture.targets is not None:
        sentence = "podcap captures one pod at a time yet: name one, as in `/podcap NAMESPACE/POD`."
        end(services, capture, State.FAILED, sentence, judgement.facts())
        return None
    refusal = refuse_full_store(services) or _too_many_wait(services, capture)
    if refusal is not None:
        end(services, capture, State.DENIED, refusal, judgement.facts())
        return None
    try:
        with services.cluster() as cluster:
            pod = cluster.running_pod(capture.namespace, capture.pod)
    except ClusterError as error:
        end(services, capture, State.FAILED, str(error))
        return None
    if judgement.approval is not None and (refusal := judgement.unapproved(capture)) is not None:
        if not judgement.approval.mention:
            refusal = (
                f"Nobody in Slack is whom {judgement.rule} of the policy names below `approval`: "
                "whoever runs podcap corrects that."
            )
        if capture.origin == TERMINAL or not judgement.approval.mention:
            end(services, capture, State.DENIED, refusal, judgement.facts())
        else:
            _await_approval(services, capture, judgement, pod.node, again=again)
        return None
    told = _place_in_line(services, replace(capture, node=pod.node))
    capture = services.place.report(capture, again=again).open(replace(capture, **told))
    link = services.place.link(capture)
    reported = {"thread": link} if link else {}
    facts = _who(capture) | judgement.facts() | reported
    queued = services.ledger.move(capture.id, State.QUEUED, by=BY, trail=facts, node=pod.node)
    # A message that was there before may say something else.
    return queued if again else replace(queued, **told)


def _place_in_line(services: Services, capture: Capture) -> dict[str, Any]:
    """What the message says of its place from its first word on: of changed messages Slack takes few."""
    if capture.origin == TERMINAL:
        return {}
    limits = Limits.of(services.settings)
    held = services.ledger.turns.foresee(capture, limits.by_name(), now=services.ledger.clock())
    return {} if held is None else {"place": held.place, "waits_for": limits.why_here(capture, held)}


def _await_approval(
    services: Services, capture: Capture, judgement: Judgement, node: str | None, *, again: bool
) -> None:
    approvers = judgement.approval.mention if judgement.approval is not None else ""
    # The message names them from its first word on: Slack tells nobody of a name that comes in later.
    asking = replace(capture, state=State.AWAITING_APPROVAL, waits_for=approvers)
    services.place.report(capture, again=again).open(asking)
    known = _who(capture) | judgement.facts()
    services.ledger.move(
        capture.id, State.AWAITING_APPROVAL, by=BY, trail=known, node=node, waits_for=approvers
    )


def _too_many_wait(services: Services, capture: Capture) -> str | None:
    most = services.settings.waiting_per_user
    if services.ledger.turns.waiting_before(capture) < most:
        return None
    waiting = count(most, "capture")
    return f"You have {waiting} waiting already, the most there may be: ask again when one of them has begun."


def _who(capture: Capture) -> dict[str, str | int]:
    """For the trail: at the request itself Slack had not been asked yet."""
    return {"user_email": capture.user_email} if capture.user_email else {}


def _waits(capture: Capture, error: PlaceError) -> str:
    return (
        f"`{capture.id}` waits: Slack does not tell podcap what it needs to know ({error.code}). "
        f"podcap keeps trying until {capture.expires_at:%H:%M} UTC."
    )


def end(
    services: Services,
    capture: Capture,
    state: State,
    sentence: str,
    facts: Mapping[str, str | int] | None = None,
    *,
    maker: Maker = Maker.ADMISSION,
) -> None:
    """Ends a capture with one sentence, in its message when it has one, else to the asker alone.

    `facts` are for the trail alone.
    """
    known = _who(capture) | dict(facts or {})
    capture = services.ledger.move(capture.id, state, by=BY, maker=maker, trail=known, sentence=sentence)
    log.info("%s: %s", state, sentence)
    show(services, capture)


def show(services: Services, capture: Capture, *, queue_reachable: bool = True) -> bool:
    """Shows how a capture stands, and whether it is shown; when not, beat shows its end later."""
    try:
        services.place.report(capture).show(capture, queue_reachable=queue_reachable)
    except PlaceError as error:
        log.warning("what is shown lags behind: %s", error)
        if not error.lasting or capture.state not in FINAL:
            return False
        # Its place is gone for good; the asker is told once, and it counts as shown.
        tell(services, capture, f"`{capture.id}`: {capture.sentence or 'its message is gone, it has ended.'}")
    services.ledger.note(capture.id, shown=capture.state)
    return True


def tell(services: Services, capture: Capture, sentence: str) -> None:
    """Tells the asker one sentence; when that cannot be done, the log has it."""
    try:
        services.place.report(capture).tell(capture, sentence)
    except PlaceError as error:
        log.warning("could not be told %r: %s", sentence, error)


def stop(services: Services, capture_id: str, *, user_id: str, who: Mapping[str, str] | None = None) -> None:
    """Somebody pressed Stop: a waiting capture ends at once, a running one soon and with what it has.

    `who` is what the trail is to know of them besides their id.
    """
    capture = services.ledger.request_stop(capture_id, user_id, who=who)
    if capture.state in WAITING:
        try:
            capture = services.ledger.move(capture_id, State.STOPPED, by=user_id, maker=Maker.PERSON)
        except IllegalMoveError:
            # A worker took it this moment, and sees the flag.
            capture = services.ledger.get(capture_id)
    show(services, capture)
