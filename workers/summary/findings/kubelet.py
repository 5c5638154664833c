"""The kubelet's probes among the connections to a pod, by what its spec says of them. Pure.

They come from an address of the pod's own node, as rewritten clients do: what they ask tells them apart.
"""

from collections.abc import Iterable, Mapping, Sequence

from workers.names.snapshot import Pod, Probe
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Exchange, HttpExchange
from workers.summary.flow import Flow
from workers.summary.protocols.redact import path as shown_path

_GET = frozenset(("GET", "HEAD"))

Asked = Mapping[tuple[Endpoint, Endpoint], HttpExchange]
"""The first request of each connection, by client and server."""


def asked(exchanges: Sequence[Exchange]) -> Asked:
    """Of those that a summary keeps."""
    return {
        (each.client, each.server): each for each in reversed(exchanges) if isinstance(each, HttpExchange)
    }


def without_probes(
    flows: Iterable[Flow], pod: Pod, port: int, nodes: Mapping[str, str], first: Asked, seconds: float
) -> list[Flow]:
    """Connections that carry data and are not the kubelet's; none when they could be its.

    The kubelet runs on the pod's own node. Of what cannot be read (headers only, HTTPS, gRPC) as many as
    it may have sent are taken for its probes.

    Args:
        flows: Connections from nodes to the port, whose SYN was seen.
        pod: Whose the port is.
        port: The port.
        nodes: The node of each address that is a node's own.
        first: See `asked`.
        seconds: How long the capture took.
    """
    probes = [probe for probe in pod.probes if probe.port == port]
    paths = {shown_path(probe.path) for probe in probes if probe.how == "http"}
    others: list[Flow] = []
    unreadable: list[Flow] = []
    for flow in flows:
        client, server = flow.ends
        if not (flow.payload_ab if flow.client == "a" else flow.payload_ba):
            continue  # a TCP probe sends nothing
        if nodes[client.address] != pod.node or not any(probe.how != "tcp" for probe in probes):
            others.append(flow)
            continue
        request = first.get((client, server))
        if request is None:
            unreadable.append(flow)
        elif request.method not in _GET or request.path not in paths:
            others.append(flow)
    expected = sum(_most(probe, seconds) for probe in probes if probe.how != "tcp")
    return others + (unreadable if len(unreadable) > expected else [])


def _most(probe: Probe, seconds: float) -> int:
    """Times that a probe can have been sent in so many seconds, and one more for one that came late."""
    return int(seconds / max(1, probe.period)) + 2
