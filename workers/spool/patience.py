"""How long an agent pod may stay out of reach before what it has is given up."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from workers.agent.agent import AgentPod
from workers.cluster.errors import ClusterError, ForbiddenError, PodNotFoundError, UnauthenticatedError

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 60.0
"""A restart of an API server or a kubelet takes less; meanwhile tcpdump goes on."""

_LONGEST_PAUSE = 5.0
_ASK_AFTER = 2
_FINAL = (PodNotFoundError, ForbiddenError, UnauthenticatedError)

_T = TypeVar("_T")


class OutOfPatienceError(ClusterError):
    """The agent pod is gone, or stays out of reach; the sentence says which."""


class Patience:
    """Waits between tries, a little longer each time, until it is over.

    Args:
        agent: The agent pod that is tried.
    """

    def __init__(self, agent: AgentPod) -> None:
        self._agent = agent
        self._failures = 0
        self._heard = time.monotonic()

    def heard(self) -> None:
        """It answered: patience begins anew."""
        self._failures = 0
        self._heard = time.monotonic()

    def wait(self, error: ClusterError) -> None:
        """Waits before the next try.

        Args:
            error: How the last one failed.

        Raises:
            OutOfPatienceError: Another try is in vain: a right is missing, the pod is gone, or it has been
                out of reach for a minute.
        """
        self._failures += 1
        if isinstance(error, _FINAL) or time.monotonic() - self._heard > _PATIENCE_SECONDS:
            raise OutOfPatienceError(self._agent.why_out_of_reach() or str(error)) from error
        if self._failures >= _ASK_AFTER and (why := self._agent.why_gone()):
            raise OutOfPatienceError(why) from error
        log.info("the agent pod is tried again: %s", error)
        time.sleep(min(0.1 * 2 ** min(self._failures, 10), _LONGEST_PAUSE))


def patiently(agent: AgentPod, run: Callable[[], _T]) -> _T:
    """Runs what may be run more than once, until the agent pod answers.

    Raises:
        OutOfPatienceError: It does not.
    """
    patience = Patience(agent)
    while True:
        try:
            return run()
        except ClusterError as error:
            patience.wait(error)
