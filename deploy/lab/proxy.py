"""kube-proxy of a node: the nft script that makes Services out of addresses. Pure.

What it does is what kube-proxy does (its nftables mode), for IPv4 and what the lab's Services can say:
ClusterIP and NodePort, `sessionAffinity: ClientIP`, `externalTrafficPolicy` and `internalTrafficPolicy`.

A packet to a Service has its destination rewritten to one of the endpoints. Its source is rewritten as well
(masqueraded: the address of the interface it leaves by) when it came from outside with policy Cluster, when
it came to a cluster address from outside the pods' range, or when a pod reaches itself. So behind a NodePort
with Cluster a pod on the node that was asked sees that node's bridge address, and a pod elsewhere that node's
LAN address. With Local only the node's own endpoints answer and the source stays; a node without any drops.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

POD_RANGE = "10.244.0.0/16"
"""Source addresses that are pods'."""

_MARK = "0x4000"
_SERVICE_NAME = "kubernetes.io/service-name"
_AT_NODE = "fib daddr type local ip daddr != 127.0.0.0/8"


@dataclass(frozen=True)
class Endpoint:
    """Where packets of a Service's port go."""

    address: str
    port: int
    node: str


@dataclass(frozen=True)
class Port:
    """One port of one Service, with its endpoints.

    Attributes:
        affinity_seconds: 0 for none.
        node_port: 0 for none.
        external_local: Whether `externalTrafficPolicy` is Local; `internal_local` likewise.
    """

    namespace: str
    name: str
    protocol: str
    port: int
    cluster_ip: str
    node_port: int
    affinity_seconds: int
    external_local: bool
    internal_local: bool
    endpoints: tuple[Endpoint, ...]

    @property
    def key(self) -> str:
        """Its part in the names of chains and sets."""
        return f"{self.namespace}/{self.name}/{self.protocol}/{self.port}"


def render(node: str, services: Iterable[Object], endpointslices: Iterable[Object]) -> str:
    """The script for `nft -f -` on one node. It replaces what an earlier one made.

    Args:
        node: The node's name, for the endpoints that are its own.
        services: Service objects of the API.
        endpointslices: EndpointSlice objects.
    """
    ports = ports_of(services, endpointslices)
    lines = [
        "add table ip kube-proxy",
        "delete table ip kube-proxy",
        "table ip kube-proxy {",
        *_base(ports, node),
        *(line for port in ports for line in _port(port, node)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def ports_of(services: Iterable[Object], endpointslices: Iterable[Object]) -> list[Port]:
    """The ports that need rules, in a fixed order."""
    slices = list(endpointslices)
    ports = [port for service in services for port in _ports_of(service, slices)]
    return sorted(ports, key=lambda port: port.key)


def _ports_of(service: Object, slices: list[Object]) -> list[Port]:
    spec, metadata = service["spec"], service["metadata"]
    if spec.get("clusterIP", "None") in {"", "None"}:
        return []
    affinity = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 10800)
    return [
        Port(
            namespace=metadata["namespace"],
            name=metadata["name"],
            protocol=port.get("protocol", "TCP").lower(),
            port=port["port"],
            cluster_ip=spec["clusterIP"],
            node_port=port.get("nodePort", 0),
            affinity_seconds=affinity if spec.get("sessionAffinity") == "ClientIP" else 0,
            external_local=spec.get("externalTrafficPolicy") == "Local",
            internal_local=spec.get("internalTrafficPolicy") == "Local",
            endpoints=_endpoints(metadata, port, slices),
        )
        for port in spec.get("ports", [])
        if port.get("protocol", "TCP") in {"TCP", "UDP"}
    ]


def _endpoints(metadata: Object, port: Object, slices: list[Object]) -> tuple[Endpoint, ...]:
    found = []
    for one in slices:
        labels = one["metadata"].get("labels") or {}
        mine = one["metadata"].get("namespace") == metadata["namespace"]
        if not mine or labels.get(_SERVICE_NAME) != metadata["name"] or one["addressType"] != "IPv4":
            continue
        numbers = [p["port"] for p in one.get("ports") or [] if p.get("name", "") == port.get("name", "")]
        found += [
            Endpoint(address, number, endpoint.get("nodeName", ""))
            for endpoint in one.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"][:1]
            for number in numbers
        ]
    return tuple(sorted(set(found), key=lambda endpoint: (endpoint.address, endpoint.port)))


def _base(ports: list[Port], node: str) -> list[str]:
    """The chains that hook into the node's network, and where each Service begins."""
    cluster = [f"ip daddr {p.cluster_ip} {p.protocol} dport {p.port} goto cluster-ip/{p.key}" for p in ports]
    at_node = [
        f"{_AT_NODE} {p.protocol} dport {p.node_port} goto node-port/{p.key}" for p in ports if p.node_port
    ]
    return [
        *_hook("nat-prerouting", "nat", "prerouting", "dstnat", ["goto services"]),
        *_hook("nat-output", "nat", "output", "-100", ["goto services"]),
        *_hook(
            "nat-postrouting",
            "nat",
            "postrouting",
            "srcnat",
            [f"meta mark & {_MARK} == {_MARK} masquerade fully-random"],
        ),
        *_hook("filter-prerouting", "filter", "prerouting", "dstnat - 10", ["goto no-endpoints"]),
        *_hook("filter-output", "filter", "output", "-110", ["goto no-endpoints"]),
        *_chain("services", cluster + at_node),
        *_chain("no-endpoints", [rule for port in ports for rule in _no_endpoints(port, node)]),
    ]


def _no_endpoints(port: Port, node: str) -> list[str]:
    """Packets that nobody can answer: rejected; dropped where only a policy keeps them from an endpoint."""
    own = [endpoint for endpoint in port.endpoints if endpoint.node == node]
    verdict = "drop" if port.endpoints else "reject"
    rules = []
    if not (own if port.internal_local else port.endpoints):
        rules.append(f"ip daddr {port.cluster_ip} {port.protocol} dport {port.port} {verdict}")
    if port.node_port and not (own if port.external_local else port.endpoints):
        outside = f"ip saddr != {POD_RANGE} fib saddr type != local " if port.endpoints else ""
        rules.append(f"{outside}{_AT_NODE} {port.protocol} dport {port.node_port} {verdict}")
    return [f"ct state new {rule}" for rule in rules]


def _hook(name: str, kind: str, hook: str, priority: str, rules: list[str]) -> list[str]:
    return _chain(name, [f"type {kind} hook {hook} priority {priority}; policy accept;", *rules])


def _chain(name: str, rules: list[str]) -> list[str]:
    return [f"  chain {name} {{", *(f"    {rule}" for rule in rules), "  }"]


def _port(port: Port, node: str) -> list[str]:
    own = [endpoint for endpoint in port.endpoints if endpoint.node == node]
    inside = own if port.internal_local else list(port.endpoints)
    mark = f"meta mark set meta mark | {_MARK}"
    lines = _chain(
        f"cluster-ip/{port.key}",
        [f"ip saddr != {POD_RANGE} {mark}", *_choose(port, inside)],
    )
    if port.node_port:
        lines += _chain(f"node-port/{port.key}", _external(port, own, mark))
    for endpoint in port.endpoints:
        lines += _endpoint(port, endpoint, mark)
    return lines


def _external(port: Port, own: list[Endpoint], mark: str) -> list[str]:
    """What is done with a packet to a node port."""
    if not port.external_local:
        return [mark, *_choose(port, list(port.endpoints))]
    # Pods and the node itself are inside: for them the policy does not hold.
    return [
        f"ip saddr {POD_RANGE} goto cluster-ip/{port.key}",
        f"fib saddr type local goto cluster-ip/{port.key}",
        *_choose(port, own),
    ]


def _choose(port: Port, endpoints: list[Endpoint]) -> list[str]:
    """The endpoint a client is bound to, else a random one."""
    if not endpoints:
        return []
    bound = [
        f"ip saddr @{_affinity(port, one)} goto {_name(port, one)}"
        for one in endpoints
        if port.affinity_seconds
    ]
    choices = ", ".join(f"{n} : goto {_name(port, one)}" for n, one in enumerate(endpoints))
    return [*bound, f"numgen random mod {len(endpoints)} vmap {{ {choices} }}"]


def _endpoint(port: Port, endpoint: Endpoint, mark: str) -> list[str]:
    lines: list[str] = []
    rules = [f"ip saddr {endpoint.address} {mark}"]
    if port.affinity_seconds:
        name = _affinity(port, endpoint)
        flags = f"flags dynamic,timeout; timeout {port.affinity_seconds}s;"
        lines.append(f"  set {name} {{ type ipv4_addr; {flags} }}")
        rules.append(f"update @{name} {{ ip saddr }}")
    rules.append(f"meta l4proto {port.protocol} dnat to {endpoint.address}:{endpoint.port}")
    return lines + _chain(_name(port, endpoint), rules)


def _name(port: Port, endpoint: Endpoint) -> str:
    return f"endpoint/{port.key}/{endpoint.address}/{endpoint.port}"


def _affinity(port: Port, endpoint: Endpoint) -> str:
    return f"affinity/{port.key}/{endpoint.address}/{endpoint.port}"
