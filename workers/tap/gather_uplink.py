"""Asks a node about its uplink: one exec in the agent pod, which is in the node's network."""

from collections.abc import Callable

from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.tap.uplink import NodeNetwork, node_network

_SECONDS = 20.0
_LIMIT_BYTES = 32 << 20
# A family that the node has not is no fault.
_ASK = (
    "sh",
    "-c",
    "ip -j -d address && ip -j route show default && { ip -j -6 route show default || true; }",
)
_API_SERVERS = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def gather_uplink(agent: AgentPod, *, poll: Callable[[], None] | None = None) -> NodeNetwork:
    """What the agent pod's node says of its interfaces and default routes.

    Raises:
        ClusterError: It could not be asked.
    """
    done = agent.run(_ASK, seconds=_SECONDS, limit_bytes=_LIMIT_BYTES, poll=poll)
    try:
        return node_network(done.stdout.decode("utf-8", "replace"))
    except (ValueError, KeyError) as error:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f" ({words[-1][:200]})" if words else ""
        raise ClusterError(f"Node {agent.node} does not say which interfaces it has{why}.") from error


def api_servers(cluster: Cluster) -> list[tuple[str, int]]:
    """Addresses and ports of the API servers, as the Service `kubernetes` has them; none: not known."""
    query = {"labelSelector": "kubernetes.io/service-name=kubernetes"}
    try:
        slices = list(cluster.objects(_API_SERVERS, query))
    except ClusterError:
        return []
    return [
        (address, port["port"])
        for one in slices
        for endpoint in one.get("endpoints") or []
        for address in endpoint.get("addresses") or []
        for port in one.get("ports") or []
        if port.get("port")
    ]
