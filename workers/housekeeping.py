"""What beat does every few seconds, so that no capture is forgotten and no pod left behind."""

import logging
from datetime import UTC, datetime, timedelta

from workers.admission import admit, end, enqueue, show
from workers.agent.agent import remove_leftovers
from workers.cluster.errors import ClusterError
from workers.heart import BEAT_SECONDS
from workers.ledger.ledger import IllegalMoveError
from workers.ledger.states import ACTIVE, State
from workers.services import Services

log = logging.getLogger(__name__)

# The bot is still at it; later it is taken for dead.
_ADMISSION_TAKES = timedelta(seconds=20)
# A worker that is free takes a capture at once; this long without one, the message may be lost.
_PUBLISH_AGAIN_AFTER = timedelta(seconds=30)
# Later nobody waits for it any more.
_SHOW_WITHIN = timedelta(hours=24)
_SILENCE = timedelta(seconds=12 * BEAT_SECONDS)


def keep_house(services: Services) -> None:
    """One round: expire, admit, publish, end what was abandoned, remove agent pods nobody needs."""
    now = datetime.now(UTC)
    for capture in services.ledger.waiting():
        try:
            if capture.expires_at <= now:
                _expire(services, capture.id)
            elif capture.state is State.REQUESTED and capture.requested_at + _ADMISSION_TAKES <= now:
                admit(services, capture, again=True)
            elif capture.state is State.QUEUED and _is_due(capture.published_at, now):
                enqueue(services, capture)
        except IllegalMoveError:
            log.info("it moved on meanwhile", extra={"capture": capture.id})
    _end_abandoned(services)
    for capture in services.ledger.unshown(_SHOW_WITHIN):
        show(services, capture)
    _remove_agent_pods(services)


def _is_due(published_at: datetime | None, now: datetime) -> bool:
    return published_at is None or published_at + _PUBLISH_AGAIN_AFTER <= now


def _expire(services: Services, capture_id: str) -> None:
    capture = services.ledger.get(capture_id)
    sentence = "No worker took this capture in time, so nothing was captured: ask again."
    end(services, capture, State.EXPIRED, sentence)


def _end_abandoned(services: Services) -> None:
    for capture in services.ledger.abandoned(_SILENCE):
        try:
            end(services, capture, State.FAILED, "The worker at this capture died: ask again.")
        except IllegalMoveError:
            log.info("its worker came back", extra={"capture": capture.id})


def _remove_agent_pods(services: Services) -> None:
    def is_active(capture_id: str) -> bool:
        try:
            return services.ledger.get(capture_id).state in ACTIVE
        except KeyError:
            return False

    try:
        with services.cluster() as cluster:
            remove_leftovers(cluster, services.settings.agent_namespace, is_active)
    except ClusterError as error:
        log.warning("agent pods were not looked for: %s", error)
