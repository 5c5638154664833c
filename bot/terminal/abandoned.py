"""Captures of a terminal that was killed: where no beat runs, the next capture ends them."""

import logging
from contextlib import suppress
from datetime import timedelta

from workers.agent import agent
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.heart import BEAT_SECONDS, WORKER
from workers.ledger.capture import TERMINAL
from workers.ledger.ledger import IllegalMoveError, Ledger
from workers.ledger.states import State

log = logging.getLogger(__name__)

_SILENCE = timedelta(seconds=12 * BEAT_SECONDS)
_SENTENCE = "The terminal at this capture died: ask again."


def end_abandoned(ledger: Ledger, cluster: Cluster, agent_namespace: str) -> None:
    """Ends every capture of a terminal that has been silent for a minute, and removes its agent pod."""
    for capture in ledger.abandoned(_SILENCE):
        if capture.origin != TERMINAL:
            continue
        try:
            agent.delete(cluster, agent_namespace, capture.id, wait=False)
        except ClusterError as error:
            log.warning("the agent pod of %s may be left: %s", capture.id, error)
        with suppress(IllegalMoveError):
            ledger.move(capture.id, State.FAILED, by=WORKER, sentence=_SENTENCE)
