"""From a request in the ledger to a place in the queue, or to a refusal of one sentence.

Runs after the ack: in the bot's listener, and in beat for a request whose bot died before it came this far.
"""

import logging

from workers.cluster.errors import ClusterError
from workers.ledger.capture import Capture
from workers.ledger.ledger import IllegalMoveError
from workers.ledger.states import FINAL, WAITING, State
from workers.permission import refusal
from workers.queue import publish
from workers.services import Services
from workers.slack.errors import FAULTS, GONE, PERMANENT, code, reason

log = logging.getLogger(__name__)

BY = "admission"

# Slack's word that the message cannot be posted there, however often it is tried.
_NOT_HERE = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})


def admit(services: Services, capture: Capture, *, again: bool = False) -> None:
    """Refuses a capture in state `requested`, or gives it its message and its place in the queue.

    When Slack fails on the way the asker is told, once (not when `again`), and beat tries until it expires.
    """
    try:
        _admit(services, capture)
    except IllegalMoveError:
        log.info("somebody else admitted it", extra={"capture": capture.id})
    except FAULTS as error:
        if code(error) in PERMANENT:
            end(services, capture, State.FAILED, reason(error))
            return
        log.warning("not admitted yet: %s", reason(error), extra={"capture": capture.id})
        if not again:
            tell(services, capture, _waits(capture, error))


def _admit(services: Services, capture: Capture) -> None:
    refused = refusal(services, capture)
    if refused is not None:
        end(services, capture, State.DENIED, refused)
        return
    try:
        with services.cluster() as cluster:
            cluster.running_pod(capture.namespace, capture.pod)
    except ClusterError as error:
        end(services, capture, State.FAILED, str(error))
        return
    thread = services.thread()
    try:
        capture = thread.open(capture)
    except FAULTS as error:
        if code(error) not in _NOT_HERE:
            raise
        end(services, capture, State.FAILED, reason(error))
        return
    capture = services.ledger.move(capture.id, State.QUEUED, by=BY)
    if not enqueue(services, capture):
        thread.show(capture, queue_reachable=False)


def _waits(capture: Capture, error: BaseException) -> str:
    what = code(error) or "no answer"
    return (
        f"`{capture.id}` waits: Slack does not tell podcap what it needs to know ({what}). "
        f"podcap keeps trying until {capture.expires_at:%H:%M} UTC."
    )


def enqueue(services: Services, capture: Capture) -> bool:
    """Publishes a queued capture's id; whether Redis took it."""
    if not publish(capture.id, capture.cluster):
        return False
    services.ledger.published(capture.id)
    return True


def end(services: Services, capture: Capture, state: State, sentence: str) -> None:
    """Ends a capture with one sentence, in its message when it has one, else to the asker alone."""
    capture = services.ledger.move(capture.id, state, by=BY, sentence=sentence)
    log.info("%s: %s", state, sentence, extra={"capture": capture.id})
    show(services, capture)


def show(services: Services, capture: Capture) -> None:
    """Shows how a capture stands; when Slack cannot be reached, beat shows its end later."""
    try:
        services.thread().show(capture)
    except FAULTS as error:
        log.warning("the message lags behind: %s", reason(error), extra={"capture": capture.id})
        if code(error) in GONE | PERMANENT and capture.state in FINAL:
            # Its place is gone for good; the asker is told once, and it counts as shown.
            tell(
                services,
                capture,
                f"`{capture.id}`: {capture.sentence or 'its message is gone, it has ended.'}",
            )
            services.ledger.note(capture.id, shown=capture.state)


def tell(services: Services, capture: Capture, sentence: str) -> None:
    """Tells the asker one sentence; when Slack cannot be reached, the log has it."""
    try:
        services.thread().tell(capture, sentence)
    except FAULTS as error:
        log.warning("could not be told %r: %s", sentence, reason(error), extra={"capture": capture.id})


def stop(services: Services, capture_id: str, *, user_id: str) -> None:
    """Somebody pressed Stop: a waiting capture ends at once, a running one soon and with what it has."""
    capture = services.ledger.request_stop(capture_id, user_id)
    if capture.state in WAITING:
        try:
            capture = services.ledger.move(capture_id, State.STOPPED, by=user_id)
        except IllegalMoveError:
            # A worker took it this moment, and sees the flag.
            capture = services.ledger.get(capture_id)
    show(services, capture)
