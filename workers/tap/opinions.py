"""What each method makes of the evidence: the link that carries a pod's packets, and how it found it. Pure.

1. *Namespace*: the node's link that is paired with the pod's interface, by the id of the pod's network
   namespace and the interface's index in it. Both are needed: every pod's eth0 may have the same index. The
   other direction, from the pod's interface to the link, can be read in the namespace alone; from outside,
   both ends having counted the same packets stands for it.
2. *Iflink*: the index that the pod's interface itself names as its other end, where the pod may be asked.
3. *Forwarding*: the MAC address that has the pod's address, and the bridge port it was learned behind.
4. *Route*: the device that a route for the pod's address alone leads to.
5. *Name*: a link with the name that a CNI plugin computes for the pod.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workers.cluster.pod import Pod
from workers.tap.cni_names import cni_names
from workers.tap.evidence import Evidence
from workers.tap.links import Link
from workers.tap.seat import PAIRS, Seat, passed_by, seat


@dataclass(frozen=True)
class Opinion:
    """What one method says.

    Attributes:
        method: `namespace`, `iflink`, `forwarding`, `route` or `name`.
        link: The link it found.
        statement: How, in a few words.
        netns_id: The id of the pod's network namespace, where the method knows it.
        both_ways: Whether the pod's end points back to the link.
    """

    method: str
    link: Link
    statement: str
    netns_id: int | None = None
    both_ways: bool = False


def opinions(evidence: Evidence, pod: Pod) -> list[Opinion]:
    """What each method says that finds a link, the strongest first."""
    place = seat(evidence, pod)
    return [
        *_by_namespace(evidence, place),
        *_by_iflink(evidence, place),
        *_by_forwarding(evidence, pod),
        *_by_route(evidence, pod),
        *_by_name(evidence, pod),
    ]


def _by_namespace(evidence: Evidence, place: Seat | None) -> Iterator[Opinion]:
    if place is None:
        return
    paired = [link for link in evidence.links if place.is_paired_with(link)]
    if len(paired) == 1:
        link = paired[0]
        says_so = evidence.iflinks.get(place.interface) == link.ifindex
        mirrors = passed_by(evidence, place, link) == 0
        statement = f"namespace id {place.netns_id}, peer index {place.index}"
        if not place.has_address:
            statement += ", the only interface of a sandbox that keeps its address to itself"
        elif mirrors:
            statement += ", both ends count the same packets"
        yield Opinion("namespace", link, statement, place.netns_id, both_ways=says_so or mirrors)


def _by_iflink(evidence: Evidence, place: Seat | None) -> Iterator[Opinion]:
    if place is None or place.interface not in evidence.iflinks:
        return
    index = evidence.iflinks[place.interface]
    links = [link for link in evidence.links if link.ifindex == index]
    # A macvlan's iflink is the node's uplink, so the link must point back to the pod's interface.
    if links and links[0].kind in PAIRS and links[0].peer_index == place.index:
        yield Opinion("iflink", links[0], f"the pod's own iflink {index}", both_ways=True)


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
    # A bridge or an uplink leads to many pods; a pair whose other end is in another namespace leads to one.
    if len(links) == 1 and links[0].kind in PAIRS and links[0].netns_id is not None:
        yield Opinion("route", links[0], "the route to the pod's address")


def _by_name(evidence: Evidence, pod: Pod) -> Iterator[Opinion]:
    names = cni_names(pod.namespace, pod.name)
    links = [link for link in evidence.links if link.name in names and link.kind in PAIRS]
    if len(links) == 1:
        yield Opinion("name", links[0], f"the name that {names[links[0].name]} gives it")


def _macs_inside(evidence: Evidence, pod: Pod) -> set[str]:
    """The MAC address of the interface with the pod's address, from its IPv6 link-local address."""
    return {
        inside.link_local[inside.carriers[ip]]
        for inside in evidence.namespaces.values()
        for ip in pod.ips
        if inside.carriers.get(ip) in inside.link_local
    }
