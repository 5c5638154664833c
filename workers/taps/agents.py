"""The agent pods of one capture: made, found again by a worker that takes over, and removed."""

import logging
import time
from dataclasses import replace

from workers.agent import agent
from workers.agent.agent import AgentPod
from workers.agent.pod_spec import AgentLimits, Owner, Profile
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, ForbiddenError, UnauthenticatedError
from workers.ledger.states import State
from workers.taps import limits
from workers.work import Ended, Work

log = logging.getLogger(__name__)

GONE = (
    "The worker at this capture ended, and when another one came the agent pod with its packets was gone: "
    "ask again."
)
"""Why nothing came of it, for the asker."""
_FIND_SECONDS = 60.0
_FIND_AGAIN_SECONDS = 1.0


def made(work: Work, cluster: Cluster, node: str, number: int, profile: Profile) -> AgentPod:
    """The capture's agent pod on a node, running, until its packets are safe or the capture has ended.

    Args:
        work: The capture.
        cluster: For this thread.
        node: The node.
        number: Which of the capture's nodes that is, from 0.
        profile: What it must be able to do there.

    Raises:
        ClusterError: There is none.
    """
    settings = work.services.settings
    capture = work.capture
    work.agent_pod_asked = True
    return work.patiently(
        lambda: agent.create(
            cluster,
            owner=replace(_owner(work), number=number),
            node=node,
            namespace=settings.agent_namespace,
            image=settings.required("PODCAP_AGENT_IMAGE"),
            limits=AgentLimits(
                seconds=limits.longest(capture), spool_bytes=limits.SPOOL_BYTES, profile=profile
            ),
            poll=work.give_up_if_stopped,
        )
    )


def found(work: Work, cluster: Cluster) -> tuple[AgentPod, ...]:
    """The agent pods that an earlier worker made and that run still.

    Raises:
        ClusterError: The cluster does not say.
    """
    return agent.find(cluster, owner=_owner(work), namespace=work.services.settings.agent_namespace)


def found_again(work: Work, cluster: Cluster) -> tuple[AgentPod, ...]:
    """The agent pods with the packets of an earlier worker; they are looked for until the cluster answers.

    Raises:
        Ended: They are gone, and the packets with them.
        ClusterError: The cluster does not say.
    """
    until = time.monotonic() + _FIND_SECONDS
    while True:
        work.refuse_if_leaving()
        try:
            pods = found(work, cluster)
        except (ForbiddenError, UnauthenticatedError):
            raise
        except ClusterError as error:
            if time.monotonic() > until:
                raise
            log.info("the agent pods are looked for again: %s", error)
            time.sleep(_FIND_AGAIN_SECONDS)
            continue
        if not pods:
            said = work.capture.sentence
            raise Ended(State.FAILED, f"{said} {GONE}" if said else GONE)
        return pods


def remove_one(work: Work, pod: AgentPod) -> None:
    """Removes one of them, so that another may take its place; logs where it does not go."""
    work.refuse_if_lost()
    try:
        agent.remove(pod)
    except ClusterError as error:
        log.warning("the agent pod may be left: %s", error)


def remove(work: Work, cluster: Cluster) -> None:
    """Only whoever has the capture removes its agent pods: another worker may be reading from them."""
    work.refuse_if_lost()
    try:
        agent.delete(cluster, work.services.settings.agent_namespace, work.capture.id)
    except ClusterError as error:
        # beat removes it when the cluster answers again.
        log.warning("the agent pod may be left: %s", error)


def end(work: Work) -> None:
    """The capture ends: nobody needs its agent pods any more, if there are any."""
    if not work.agent_pod_asked:
        return
    try:
        with work.services.cluster() as cluster:
            remove(work, cluster)
    except ClusterError as error:
        log.warning("the agent pod may be left: %s", error)


def _owner(work: Work) -> Owner:
    return Owner(work.capture.id, work.services.ledger.installation())
