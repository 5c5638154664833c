"""Which interface carries a pod's packets: decided from evidence alone, never guessed. Pure.

Three methods, each independent of the others:

1. *Namespace*: the id of the network namespace of the pod's processes and the index of the interface that has
   the pod's address; the host's link that is paired with exactly those two. Both are needed: every pod's eth0
   may have the same index.
2. *Forwarding*: the MAC address that has the pod's address, and the bridge port it was learned behind.
3. *Route*: the device that the node sends the pod's address through, where each pod has one of its own.

No method looks at an interface's name. Two that agree make the confidence high, one makes it medium, and two
that contradict each other make a refusal that names both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, Link

Confidence = Literal["high", "medium"]

KUBELET_PORT = 10250
"""An exec into any pod of a node passes here: a capture of the node itself must leave it out."""


class NoTap(Exception):  # noqa: N818  (an answer, not a fault)
    """No interface is certain enough; `str(error)` is the sentence that says why."""


@dataclass(frozen=True)
class Tap:
    """Where one pod's packets are taken.

    Attributes:
        ifindex: Of the interface on the node; 0 for `any`.
        method: The strongest method: `namespace`, `forwarding`, `route` or `host`.
        proof: A statement for each method that found it, the strongest first, then what could not be asked.
        netns_id: The id of the pod's network namespace, when it is known.
        narrow: A filter that must hold besides the one asked for (hostNetwork), or "".
    """

    node: str
    interface: str
    ifindex: int
    method: str
    proof: tuple[str, ...]
    confidence: Confidence
    netns_id: int | None = None
    narrow: str = ""

    def filter(self, wanted: str) -> str:
        """The filter for tcpdump: the one asked for, narrowed where this tap sees more than the pod."""
        # `and` and `or` bind equally (pcap-filter(7)), so both sides stand in parentheses.
        parts = [f"({part})" for part in (self.narrow, wanted.strip()) if part]
        return " and ".join(parts) if len(parts) > 1 else self.narrow or wanted.strip()


@dataclass(frozen=True)
class Opinion:
    """What one method says: the link, and how it found it."""

    method: str
    link: Link
    statement: str
    netns_id: int | None = None


def decide(evidence: Evidence, pod: Pod) -> Tap:
    """The tap that the evidence proves.

    Args:
        evidence: What the pod's node said.
        pod: The pod, as the API knows it.

    Raises:
        NoTap: Nothing is proven, or the evidence contradicts itself.
    """
    if pod.host_network:
        return _host_tap(pod)
    if not evidence.processes:
        raise NoTap(f"No process of pod {pod.name} was found on node {pod.node}: it may have just ended.")
    found = opinions(evidence, pod)
    if not found:
        raise NoTap(_why_not(evidence, pod))
    first, *others = found
    for other in others:
        if other.link.ifindex != first.link.ifindex:
            raise NoTap(
                f"The evidence for pod {pod.name} contradicts itself: {first.statement} says "
                f"{first.link.name}, but {other.statement} says {other.link.name}; nothing was captured."
            )
    return Tap(
        node=pod.node or "",
        interface=first.link.name,
        ifindex=first.link.ifindex,
        method=first.method,
        proof=(first.statement, *(f"{other.statement} agrees" for other in others), *evidence.missing),
        confidence="high" if others else "medium",
        netns_id=first.netns_id,
    )


def opinions(evidence: Evidence, pod: Pod) -> list[Opinion]:
    """What each method says that finds a link, the strongest first."""
    return [*_by_namespace(evidence, pod), *_by_forwarding(evidence, pod), *_by_route(evidence, pod)]


def explain(tap: Tap) -> str:
    """One line for the thread: the interface, the proof and how certain it is."""
    if tap.method == "host":
        return f"{tap.node}'s own network, {tap.proof[0]} — confidence {tap.confidence}"
    return f"{tap.interface} on {tap.node} ({'; '.join(tap.proof)}) — confidence {tap.confidence}"


def _by_namespace(evidence: Evidence, pod: Pod) -> Iterator[Opinion]:
    for pid, inside in evidence.namespaces.items():
        netns_id = evidence.netns_ids.get(pid)
        indexes = {inside.indexes.get(inside.carriers[ip]) for ip in pod.ips if ip in inside.carriers}
        if netns_id is None or len(indexes) != 1:
            continue
        index = indexes.pop()
        paired = [
            link
            for link in evidence.links
            if link.kind == "veth" and (link.netns_id, link.peer_index) == (netns_id, index)
        ]
        if index is not None and len(paired) == 1:
            statement = f"namespace id {netns_id}, peer index {index}"
            yield Opinion("namespace", paired[0], statement, netns_id)
            return


def _by_forwarding(evidence: Evidence, pod: Pod) -> Iterator[Opinion]:
    bridges = {link.name for link in evidence.links if link.kind == "bridge"}
    neighbours = {n.mac for n in evidence.neighbours if n.address in pod.ips and n.device in bridges}
    macs = neighbours or _macs_inside(evidence, pod)
    ports = {entry.port for entry in evidence.forwarding if entry.mac in macs and entry.bridge in bridges}
    links = [link for link in evidence.links if link.name in ports]
    # A port of another kind leads on, to more than one pod: an uplink, a tunnel.
    if len(links) == 1 and links[0].kind == "veth":
        yield Opinion("forwarding", links[0], "the bridge's forwarding table")


def _by_route(evidence: Evidence, pod: Pod) -> Iterator[Opinion]:
    devices = {evidence.routes[ip] for ip in pod.ips if ip in evidence.routes}
    links = [link for link in evidence.links if link.name in devices]
    # A bridge or an uplink leads to many pods; a veth whose peer is in another namespace leads to one.
    if len(links) == 1 and links[0].kind == "veth" and links[0].netns_id is not None:
        yield Opinion("route", links[0], "the route to the pod's address")


def _macs_inside(evidence: Evidence, pod: Pod) -> set[str]:
    """The MAC address of the interface with the pod's address, from its IPv6 link-local address."""
    return {
        inside.link_local[inside.carriers[ip]]
        for inside in evidence.namespaces.values()
        for ip in pod.ips
        if inside.carriers.get(ip) in inside.link_local
    }


def _host_tap(pod: Pod) -> Tap:
    if not pod.ports:
        raise NoTap(
            f"Pod {pod.name} uses its node's network and declares no ports, so its packets cannot be told "
            "from the node's: declare containerPorts, or capture a pod with a network of its own."
        )
    ports = sorted({(port.protocol.lower(), port.host or port.number) for port in pod.ports})
    terms = " or ".join(f"{protocol} port {number}" for protocol, number in ports)
    listed = ", ".join(f"{protocol} {number}" for protocol, number in ports)
    return Tap(
        node=pod.node or "",
        interface="any",
        ifindex=0,
        method="host",
        proof=(f"narrowed to the ports that the pod declares ({listed}) because it uses hostNetwork",),
        confidence="medium",
        narrow=f"({terms}) and not tcp port {KUBELET_PORT}",
    )


def _why_not(evidence: Evidence, pod: Pod) -> str:
    ids = {netns_id for netns_id in evidence.netns_ids.values() if netns_id is not None}
    kinds = {link.kind for link in evidence.links if link.netns_id in ids and link.kind not in (None, "veth")}
    if evidence.namespaces and not any(
        ip in inside.addresses for inside in evidence.namespaces.values() for ip in pod.ips
    ):
        why = "its processes do not have its address"
    elif kinds:
        named = ", ".join(sorted(filter(None, kinds)))
        why = f"its link is of kind {named}, which cannot be tapped on the host's side"
    elif not evidence.missing:
        why = "the host has no link that is paired with its interface (macvlan, ipvlan or SR-IOV, perhaps)"
    else:
        why = "; ".join(evidence.missing)
    return f"No interface of node {pod.node} is proven to carry the packets of pod {pod.name}: {why}."
