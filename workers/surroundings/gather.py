"""Everything around the pods of a capture at one moment: from their nodes and from the API server."""

from collections.abc import Callable, Iterable, Sequence

from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster
from workers.surroundings.governed import governed
from workers.surroundings.surroundings import Surroundings
from workers.surroundings.visit import Inside, visit


def gather(
    cluster: Cluster,
    nodes: Iterable[tuple[AgentPod, Sequence[Inside]]],
    addresses: Sequence[str],
    *,
    poll: Callable[[], None] | None = None,
) -> dict[str, Surroundings]:
    """The surroundings by the pods' UIDs; what is not known is said in each, and nothing fails.

    Args:
        cluster: Where the pods are; asked by this thread.
        nodes: Each agent pod, with the pods on its node.
        addresses: Of all pods of the capture.
        poll: Called at least once a second while a node is asked; may raise to give up.
    """
    known: dict[str, Surroundings] = {}
    pods = []
    for agent, insides in nodes:
        known |= visit(agent, insides, addresses, poll=poll)
        pods += [one.pod for one in insides]
    return governed(cluster, pods, known)
