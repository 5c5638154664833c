"""Clients' addresses that a node replaced by its own, and the field of the Service that makes it do so. Pure.

kube-proxy masquerades what comes in at a node port, an external or a load balancer's address of a Service
with `externalTrafficPolicy: Cluster` (Kubernetes, "Using Source IP"): on the node that the client reached, to
the address of the interface by which the packet leaves, its bridge's for a pod of its own. The kubelet's
probes come from the bridge's address, too, so that alone proves nothing: what they ask tells them apart.
A process of the node itself is told apart by its port, where kube-proxy had iptables choose any
(`--random-fully`): Linux gives its own sockets one of 32768 to 60999 (ip_local_port_range).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.names.snapshot import Pod, Service, ServicePort
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, kubelet, wording
from workers.summary.flow import Flow

ID = "source-rewritten"

_LOCAL_PORTS = range(32768, 61000)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each pod's port behind such a Service, whose connections from nodes are not all probes."""
    pods = {address: pod for pod in evidence.cluster.pods if not pod.host_network for address in pod.ips}
    nodes = {address: node.name for node in evidence.cluster.nodes for address in node.own_ips}
    if not pods or not nodes:
        return
    found: dict[tuple[str, int], list[Flow]] = defaultdict(list)
    for flow in evidence.summary.flows:
        if flow.protocol != "TCP" or flow.opened_by is None:
            continue
        client, server = flow.ends
        if client.address in nodes and server.address in pods:
            found[server.address, server.port].append(flow)
    first = kubelet.asked(evidence.summary.exchanges)
    seconds = evidence.summary.totals.duration
    for (address, port), flows in found.items():
        pod = pods[address]
        blamed = _rewriting(evidence, address, port, pod)
        rewritten = kubelet.without_probes(flows, pod, port, nodes, first, seconds)
        if blamed is not None and rewritten:
            yield _finding(pod, port, blamed, rewritten, nodes)


def _rewriting(evidence: Evidence, address: str, port: int, pod: Pod) -> Service | None:
    """The Service that leads from outside to this port of the pod and has nodes rewrite sources."""
    leading = {
        (piece.namespace, piece.service)
        for piece in evidence.cluster.slices
        if address in piece.addresses and any(each.number == port for each in piece.ports)
    }
    outside = [
        service
        for service in evidence.cluster.services
        if (service.namespace, service.name) in leading
        and (service.type in ("NodePort", "LoadBalancer") or service.external_ips)
        and any(_leads(each, pod, port) for each in service.ports)
    ]
    return next((each for each in outside if each.external_traffic_policy in ("Cluster", "")), None)


def _leads(port: ServicePort, pod: Pod, number: int) -> bool:
    named = {each.name: each.number for each in pod.ports if each.name}
    target = port.target or str(port.number)
    return target == str(number) or named.get(target) == number


def _finding(pod: Pod, port: int, service: Service, flows: list[Flow], nodes: dict[str, str]) -> Finding:
    flows = sorted(flows, key=lambda flow: flow.first_frame)
    clients = [flow.ends[0].address for flow in flows]
    names = wording.some(_counted(clients, nodes))
    name = f"{service.namespace}/{service.name}"
    who = wording.quoted(f"{pod.namespace}/{pod.name}")
    balancer = ", or let the load balancer speak the PROXY protocol" if service.type == "LoadBalancer" else ""
    certain = any(flow.ends[0].port not in _LOCAL_PORTS for flow in flows)
    doubt = "" if certain else " (or processes on those nodes themselves ask)"
    plain = service.external_traffic_policy == "Cluster"
    why = (
        "has `externalTrafficPolicy: Cluster`"
        if plain
        else "has the default `externalTrafficPolicy`, `Cluster`"
    )
    return Finding(
        ID,
        "warning",
        f"{who} does not see who its clients are: {wording.many(len(flows), 'connection')} to port {port} "
        "came from "
        f"{names}, because Service {wording.quoted(name)} {why}, so that nodes replace the client's "
        f"address by their own{doubt}.",
        {
            "times": len(flows),
            "clients": len(set(clients)),
            "addresses": ", ".join(dict.fromkeys(clients)),
            "nodes": ", ".join(dict.fromkeys(nodes[client] for client in clients)),
            "service": name,
            "field": "spec.externalTrafficPolicy",
            "value": service.external_traffic_policy or "Cluster",
            "port": port,
            "certain": int(certain),
        },
        filters.from_frame(flows[0].first_frame, filters.flows(flows)),
        flows[0].first_frame,
        f"Set `externalTrafficPolicy: Local` on Service {wording.quoted(name)} (then only nodes with a "
        "ready pod "
        f"answer){balancer}; behind an HTTP proxy read `X-Forwarded-For` instead.",
    )


def _counted(clients: list[str], nodes: dict[str, str]) -> Counter[str]:
    return Counter(
        f"{wording.quoted(client)} (address of node {wording.quoted(nodes[client])})" for client in clients
    )
