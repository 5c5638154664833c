"""From a request in the ledger to a capture that may be made, or to a refusal of one sentence.

Runs after the ack in the bot's listener, in beat for a request whose bot died before it came this far, and in
the terminal.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workers.cluster.errors import ClusterError
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.states import FINAL, WAITING, IllegalMoveError, Maker, State
from workers.ledger.tap_record import TapKind, TapRecord
from workers.limits import Limits
from workers.permission import Judgement, judge, request_of
from workers.place import NotHereError, PlaceError
from workers.report import Report
from workers.resolve import Resolved, resolve
from workers.services import Services
from workers.store_room import refuse_full_store
from workers.thread.preview import preview
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
    except _RefusedError as error:
        end(services, capture, State.DENIED, str(error))
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
    refusal = refuse_full_store(services) or _too_many_wait(services, capture)
    if refusal is not None:
        end(services, capture, State.DENIED, refusal, judgement.facts())
        return None
    try:
        with services.cluster() as cluster:
            found = resolve(cluster, request_of(capture), uplinks=judgement.uplinks)
    except ClusterError as error:
        end(services, capture, State.FAILED, str(error))
        return None
    refusal = _too_many_taps(services, found.taps) or _unapprovable(capture, judgement)
    if refusal is not None:
        end(services, capture, State.DENIED, refusal, judgement.facts())
        return None
    return _begin(services, capture, judgement, found, again=again)


def _begin(
    services: Services, capture: Capture, judgement: Judgement, found: Resolved, *, again: bool
) -> Capture | None:
    """Lets an allowed capture wait for its turn, or for whoever must say yes to it first."""
    told: dict[str, Any] = {}
    placed = _placed(found.taps)
    known = _who(capture) | judgement.facts() | _counted(capture, found.taps)
    if judgement.unapproved(capture) is not None and judgement.approval is not None:
        state, told = State.AWAITING_APPROVAL, {"waits_for": judgement.approval.mention}
    elif not _agreed(services, capture, found.taps):
        state = State.AWAITING_CONFIRMATION
    else:
        state, told = State.QUEUED, _place_in_line(services, replace(capture, **placed), found.taps)
    # The message says all that from its first word on: of changed messages Slack takes few, and it tells
    # nobody of a name that comes in later.
    shown: dict[str, Any] = {"state": capture.state if state is State.QUEUED else state, **told, **placed}
    report = services.place.report(capture, again=again)
    capture = report.open(replace(capture, **shown), found.taps)
    for note in () if again else found.notes:
        _say(report, capture, note)
    if state is not State.QUEUED:
        services.ledger.move(capture.id, state, by=BY, trail=known, taps=found.taps, **placed, **told)
        return None
    link = services.place.link(capture)
    facts = known | ({"thread": link} if link else {})
    queued = services.ledger.move(capture.id, state, by=BY, trail=facts, taps=found.taps, **placed)
    # A message that was there before may say something else.
    return queued if again else replace(queued, **told)


def _placed(taps: Sequence[TapRecord]) -> dict[str, Any]:
    """What the ledger has in the capture's own row: one pod, however it was asked for, and where it is."""
    if len(taps) > 1:
        return {}
    (tap,) = taps
    if tap.kind is TapKind.UPLINK:
        return {"node": tap.node}
    return {"node": tap.node, "namespace": tap.namespace, "pod": tap.pod}


def _counted(capture: Capture, taps: Sequence[TapRecord]) -> dict[str, Any]:
    """What the trail is to know of the taps of a capture that is not of one pod."""
    return {} if capture.targets is None else {"taps": [tap.name for tap in taps]}


def _agreed(services: Services, capture: Capture, taps: Sequence[TapRecord]) -> bool:
    """Whether so much is meant; False where the capture's message asks.

    Raises:
        _RefusedError: The asker says no, or nobody can be asked.
    """
    if len(taps) <= services.settings.ask_above:
        return True
    try:
        agreed = services.place.agreed(capture, taps)
    except NotHereError as error:
        raise _RefusedError(str(error)) from error
    if agreed is False:
        raise _RefusedError("You did not agree to capture all of them.")
    return agreed is True


class _RefusedError(Exception):
    """The request is refused; the message is the sentence."""


def _too_many_taps(services: Services, taps: Sequence[TapRecord]) -> str | None:
    most = services.settings.most_taps
    if len(taps) <= most:
        return None
    return (
        f"These are {preview(taps)}, more than the {most} that one capture takes: "
        "narrow it with labels, as in `/podcap NAMESPACE/app=cheese,tier=web`, or name some of the pods."
    )


def _unapprovable(capture: Capture, judgement: Judgement) -> str | None:
    """Why nobody can give the approval that is needed; None when somebody can, or none is."""
    refusal = judgement.unapproved(capture)
    if refusal is None or judgement.approval is None:
        return None
    if not judgement.approval.mention:
        return (
            f"Nobody in Slack is whom {judgement.rule} of the policy names below `approval`: "
            "whoever runs podcap corrects that."
        )
    return refusal if capture.origin == TERMINAL else None


def _say(report: Report, capture: Capture, sentence: str) -> None:
    try:
        report.say(capture, sentence)
    except PlaceError as error:
        log.warning("not said: %s (%s)", sentence, error)


def _place_in_line(services: Services, capture: Capture, taps: Sequence[TapRecord]) -> dict[str, Any]:
    """What the message says of its place from its first word on: of changed messages Slack takes few."""
    if capture.origin == TERMINAL:
        return {}
    limits = Limits.of(services.settings)
    nodes = [tap.node for tap in taps if tap.node]
    held = services.ledger.turns.foresee(capture, limits.by_name(), nodes=nodes, now=services.ledger.clock())
    return {} if held is None else {"place": held.place, "waits_for": limits.why_here(capture, held)}


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
