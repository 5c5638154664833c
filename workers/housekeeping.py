"""What beat does every few seconds, so that no capture is forgotten and no pod left behind."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from workers.admission import end, show
from workers.agent.agent import remove_leftovers
from workers.alive import SIGNS
from workers.cluster.errors import ClusterError
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.leases import MOST_LOST_WORKERS
from workers.ledger.states import ACTIVE, IllegalMoveError, Maker, State
from workers.logs import about
from workers.metrics import LAST_ROUND
from workers.mirror import mirror
from workers.pulse import Pulse
from workers.queueing import admit, advance, enqueue, show_places
from workers.retention import forget_captures
from workers.services import Services

log = logging.getLogger(__name__)

_BY = "beat"
_NAME = "housekeeping"
# Every question of it has a deadline; the longest part asks Slack and the cluster a dozen times.
_PART_SECONDS = 300.0

ADMISSION_TAKES = timedelta(seconds=20)
"""So long a request is the bot's alone. Later the bot is dead, or has more than Slack lets it answer."""

# A channel takes a message a second: with many requests that wait for theirs, the rest of a round comes all
# the same.
_ADMITTING_SECONDS = 10.0
# A worker that is free takes a capture at once; this long without one, the message may be lost.
_PUBLISH_AGAIN_AFTER = timedelta(seconds=10)
# Whoever ended it is still showing that; two at once might say it twice.
_SHOWING_TAKES = timedelta(seconds=20)
# Later nobody waits for it any more.
_SHOW_WITHIN = timedelta(hours=24)


def keep_house(services: Services, pulse: Pulse) -> None:
    """One round: everything that is due.

    Expire, admit, publish, give turns, end what was abandoned, show, remove agent pods, forget, mirror the
    trail. What fails for one capture is logged and keeps nothing else from being done.
    """
    SIGNS.give(_NAME)
    admitting_until = time.monotonic() + _ADMITTING_SECONDS
    for capture in services.ledger.watch.waiting():
        if capture.state is State.REQUESTED and time.monotonic() > admitting_until:
            continue
        with about(capture.id):
            _apart(_keep_waiting, services, capture)
    _apart(_keep_line, services)
    for capture in pulse.lost(services.ledger.watch.beats()):
        with about(capture.id):
            _apart(_replace_worker, services, capture)
    for capture in services.ledger.watch.adrift():
        with about(capture.id):
            _apart(_keep_adrift, services, capture)
    for capture in services.ledger.watch.unshown(_SHOW_WITHIN, until=_SHOWING_TAKES):
        with about(capture.id):
            _apart(show, services, capture)
    _apart(_remove_agent_pods, services)
    _apart(forget_captures, services)
    _apart(mirror, services.settings, services.ledger)
    LAST_ROUND.set_to_current_time()


def expect_rounds() -> None:
    """From now on a process that keeps house is taken for hung when a part of a round takes too long."""
    SIGNS.expect(_NAME, within=_PART_SECONDS)


def _apart(work: Callable[..., object], *arguments: Any) -> None:
    try:
        work(*arguments)
    except IllegalMoveError as error:
        log.info("it moved on meanwhile: %s", error)
    except Exception:
        log.exception("a part of housekeeping failed; the next round tries it again")
    finally:
        SIGNS.give(_NAME)


def _keep_line(services: Services) -> None:
    given = advance(services)
    show_places(services, given, services.ledger.watch.waiting())


def _keep_waiting(services: Services, capture: Capture) -> None:
    now = services.ledger.clock()
    if capture.expires_at <= now:
        end(services, capture, State.EXPIRED, _too_late(capture), maker=Maker.HOUSE)
    elif capture.origin == TERMINAL:
        return  # it waits for nobody but the process that asked for it
    elif capture.state is State.REQUESTED and capture.requested_at + ADMISSION_TAKES <= now:
        admit(services, capture, again=True)
    elif capture.turn_at is not None and _is_due(capture.published_at, now):
        enqueue(services, capture)


def _replace_worker(services: Services, capture: Capture) -> None:
    """Another worker goes on with what the ledger, the agent pod and the store have."""
    taken = services.ledger.leases.take_away(capture, by=_BY)
    if taken is None:
        return
    capture, losses = taken
    if capture.origin == TERMINAL:
        _fail(services, capture, "The terminal at this capture died")
    elif losses >= MOST_LOST_WORKERS:
        _fail(services, capture, f"{losses} workers died at this capture")
    else:
        log.warning("its worker died: another one goes on")
        enqueue(services, capture)


def _keep_adrift(services: Services, capture: Capture) -> None:
    now = services.ledger.clock()
    if capture.origin == TERMINAL:
        _fail(services, capture, "The terminal at this capture died")
    elif capture.expires_at <= now:
        _fail(services, capture, "No worker went on with this capture in time")
    elif _is_due(capture.published_at, now):
        enqueue(services, capture)


def _fail(services: Services, capture: Capture, why: str) -> None:
    what_now = ": ask again."
    if capture.stored_at is not None and capture.file_url is not None:
        what_now = f". What was captured is kept as `{capture.file_url.rpartition('/')[2]}`."
    end(services, capture, State.FAILED, f"{why}{what_now}", maker=Maker.HOUSE)


def _too_late(capture: Capture) -> str:
    if capture.origin == TERMINAL:
        return "Its terminal went away before it began: ask again."
    if capture.state is State.QUEUED and capture.turn_at is None:
        return "Other captures took all the room in time, so nothing was captured: ask again."
    return _TOO_LATE[capture.state]


_TOO_LATE = {
    State.AWAITING_APPROVAL: "Nobody approved this capture in time, so nothing was captured: ask again.",
    State.AWAITING_CONFIRMATION: "Nobody confirmed this capture in time, so nothing was captured: ask again.",
    State.REQUESTED: "Slack did not say in time who asks and where, so nothing was captured: ask again.",
    State.QUEUED: "No worker took this capture in time, so nothing was captured: ask again.",
}


def _is_due(published_at: datetime | None, now: datetime) -> bool:
    return published_at is None or published_at + _PUBLISH_AGAIN_AFTER <= now


def _remove_agent_pods(services: Services) -> None:
    def is_active(capture_id: str) -> bool:
        try:
            capture = services.ledger.get(capture_id)
        except KeyError:
            return False  # Its row is gone: the database is an older copy, perhaps.
        return capture.state in ACTIVE

    installation = services.ledger.installation()
    try:
        with services.cluster() as cluster:
            remove_leftovers(cluster, services.settings.agent_namespace, installation, is_active)
    except ClusterError as error:
        log.warning("agent pods were not looked for: %s", error)
