"""Looks at a tapped interface once more, when its capture has ended."""

import logging

from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, NamespaceNotFoundError, PodNotFoundError
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.proof import Watched, reading
from workers.tap.tap import Tap

log = logging.getLogger(__name__)

_NO_LINK = 0
"""No link has this index: of a tap inside the pod nothing is asked on the node's side."""


def watched(cluster: Cluster, agent: AgentPod, pod: Pod, tap: Tap, before: Evidence) -> Watched | None:
    """What the node counted meanwhile; None when it cannot be asked any more.

    Args:
        cluster: Knows who bears the pod's name now.
        agent: The agent pod, in which tcpdump has ended.
        pod: The pod that was captured.
        tap: Where its packets were taken.
        before: The evidence that the tap was decided from.
    """
    try:
        now = _pod_now(cluster, pod)
        ifindex = tap.ifindex if tap.pid is None else _NO_LINK
        after = gather(agent, pod, pids=sorted(before.namespaces), ifindex=ifindex)
    except ClusterError as error:
        # The packets are there; only what they are compared with is not.
        log.warning("the capture is not compared with the node's counters: %s", error)
        return None
    return Watched(pod, reading(before, tap), reading(after, tap), now)


def _pod_now(cluster: Cluster, pod: Pod) -> Pod | None:
    try:
        return cluster.pod(pod.namespace, pod.name)
    except (PodNotFoundError, NamespaceNotFoundError):
        return None
