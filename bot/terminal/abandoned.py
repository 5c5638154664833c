"""Captures of a terminal that was killed: where no beat runs, the next capture ends them."""

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from workers.agent import agent
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.heart import BEAT_SECONDS, WORKER
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import IllegalMoveError, Maker, State

log = logging.getLogger(__name__)

_SILENCE = timedelta(seconds=12 * BEAT_SECONDS)
# One that waits has no heartbeat: it waits for a few answers of its cluster, each limited to seconds.
_WAITS = timedelta(minutes=5)
_SENTENCE = "The terminal at this capture died: ask again."


def end_abandoned(ledger: Ledger, cluster: Cluster, agent_namespace: str) -> None:
    """Ends every capture of a terminal that died: silent for a minute, or not begun within five.

    Where there may be an agent pod of it, that is removed.
    """
    for capture in ledger.watch.abandoned(_SILENCE):
        if capture.origin != TERMINAL:
            continue
        try:
            agent.delete(cluster, agent_namespace, capture.id, wait=False)
        except ClusterError as error:
            log.warning("the agent pod of %s may be left: %s", capture.id, error)
        _end(ledger, capture)
    latest = datetime.now(UTC) - _WAITS
    for capture in ledger.watch.waiting():
        if capture.origin == TERMINAL and capture.requested_at < latest:
            _end(ledger, capture)


def _end(ledger: Ledger, capture: Capture) -> None:
    with suppress(IllegalMoveError):
        ledger.move(capture.id, State.FAILED, by=WORKER, maker=Maker.HOUSE, sentence=_SENTENCE)
