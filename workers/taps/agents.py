"""The agent pods of one capture: made, found again by a worker that takes over, and removed."""

import logging
import time

from workers.agent import agent
from workers.agent.agent import AgentPod
from workers.agent.pod_spec import AgentLimits, Owner, Profile
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, ForbiddenError, UnauthenticatedError
from workers.ledger.states import State
from workers.taps import limits
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_GONE = (
    "The worker at this capture ended, and when another one came the agent pod with its packets was gone: "
    "ask again."
)
_FIND_SECONDS = 60.0
_FIND_AGAIN_SECONDS = 1.0


def made(work: Work, cluster: Cluster, node: str, profile: Profile) -> AgentPod:
    """The capture's agent pod, running. It is there until its packets are safe, or the capture has ended."""
    settings = work.services.settings
    capture = work.capture
    work.agent_pod_asked = True
    return work.patiently(
        lambda: agent.create(
            cluster,
            owner=_owner(work),
            node=node,
            namespace=settings.agent_namespace,
            image=settings.required("PODCAP_AGENT_IMAGE"),
            limits=AgentLimits(
                seconds=limits.longest(capture), spool_bytes=limits.SPOOL_BYTES, profile=profile
            ),
            poll=work.give_up_if_stopped,
        )
    )


def found(work: Work, cluster: Cluster) -> AgentPod | None:
    """The agent pod that an earlier worker made; None when there is none any more.

    Raises:
        ClusterError: The cluster does not say.
    """
    pods = agent.find(cluster, owner=_owner(work), namespace=work.services.settings.agent_namespace)
    return next(iter(pods), None)


def found_again(work: Work, cluster: Cluster) -> AgentPod:
    """The agent pod with the packets of an earlier worker; it is looked for until the cluster answers.

    Raises:
        Ended: It is gone, and the packets with it.
        ClusterError: The cluster does not say.
    """
    until = time.monotonic() + _FIND_SECONDS
    while True:
        work.refuse_if_leaving()
        try:
            pod = found(work, cluster)
        except (ForbiddenError, UnauthenticatedError):
            raise
        except ClusterError as error:
            if time.monotonic() > until:
                raise
            log.info("the agent pod is looked for again: %s", error)
            time.sleep(_FIND_AGAIN_SECONDS)
            continue
        if pod is None:
            said = work.capture.sentence
            raise Ended(State.FAILED, f"{said} {_GONE}" if said else _GONE)
        return pod


def remove(work: Work, cluster: Cluster) -> None:
    """Only whoever has the capture removes its agent pod: another worker may be reading from it."""
    work.refuse_if_lost()
    try:
        agent.delete(cluster, work.services.settings.agent_namespace, work.capture.id)
    except ClusterError as error:
        # beat removes it when the cluster answers again.
        log.warning("the agent pod may be left: %s", error)


def end(work: Work) -> None:
    """The capture ends: nobody needs its agent pod any more, if there is one."""
    if not work.agent_pod_asked:
        return
    try:
        with work.services.cluster() as cluster:
            remove(work, cluster)
    except ClusterError as error:
        log.warning("the agent pod may be left: %s", error)


def _owner(work: Work) -> Owner:
    return Owner(work.capture.id, work.services.ledger.installation())
