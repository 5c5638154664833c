"""Which of a pod's processes shows the pod's own network, and through which interface. Pure."""

from dataclasses import dataclass
from ipaddress import ip_address

from workers.cluster.pod import Pod
from workers.tap.counters import Counters
from workers.tap.evidence import Evidence
from workers.tap.links import Link
from workers.tap.procfs import Namespace


@dataclass(frozen=True)
class Seat:
    """A process of the pod whose network namespace is the pod's.

    Attributes:
        interface: The interface in there that carries the pod's address.
        index: Its ifindex in there.
        netns_id: The namespace's id on the node; None when it has none: no link of the node leads into it.
        is_numbered: Whether the id was asked for at all.
        has_address: Whether the namespace has the pod's address. gVisor takes it away and answers for it
            itself (`removeAddress` in runsc/sandbox/network.go); then `interface` is the only one there is.
        others: The pod's other interfaces, such as those of Multus.
    """

    pid: int
    interface: str
    index: int
    netns_id: int | None
    is_numbered: bool
    has_address: bool
    others: tuple[str, ...] = ()

    def is_paired_with(self, link: Link) -> bool:
        """Whether a link of the node is one end of a pair of which this interface is the other."""
        return (
            link.kind in PAIRS
            and self.netns_id is not None
            and (link.netns_id, link.peer_index) == (self.netns_id, self.index)
        )


PAIRS = ("veth", "netkit")
"""Kinds of links that come in pairs; of any other, `link_index` says what it is built on, such as an
uplink."""


def seat(evidence: Evidence, pod: Pod) -> Seat | None:
    """The first process that shows the pod's address on one interface; None when there is none."""
    for pid, inside in evidence.namespaces.items():
        names = {inside.carriers[ip] for ip in pod.ips if ip in inside.carriers}
        if len(names) == 1:
            name = names.pop()
            if name in inside.indexes:
                return _seat(evidence, pid, name, has_address=True)
    for pid, inside in evidence.namespaces.items():
        if _is_bare(inside) and len(inside.interfaces) == 1 and inside.interfaces[0] in inside.indexes:
            return _seat(evidence, pid, inside.interfaces[0], has_address=False)
    return None


def passed_by(evidence: Evidence, place: Seat, link: Link) -> int | None:
    """Packets that reached the pod and that its link on the node has not sent; None where that is not known.

    The two ends of a veth count the same packets. The pod's end was read before and after the node's, so that
    on a link through which everything passes the node's figure lies between; 0 says that it does, in both
    directions.
    """
    early = evidence.namespaces[place.pid].counters.get(place.interface)
    late = evidence.later.get(place.pid, {}).get(place.interface)
    here = link.counters
    if early is None or late is None or here is None:
        return None
    if early.received > here.sent:
        return early.received - here.sent
    return 0 if _between(early, here, late) else None


def _between(early: Counters, here: Counters, late: Counters) -> bool:
    return here.sent <= late.received and early.sent <= here.received <= late.sent


def _seat(evidence: Evidence, pid: int, name: str, *, has_address: bool) -> Seat:
    inside = evidence.namespaces[pid]
    return Seat(
        pid=pid,
        interface=name,
        index=inside.indexes[name],
        netns_id=evidence.netns_ids.get(pid),
        is_numbered=pid in evidence.netns_ids,
        has_address=has_address,
        others=tuple(other for other in inside.interfaces if other != name),
    )


def _is_bare(inside: Namespace) -> bool:
    addresses = map(ip_address, inside.addresses)
    return all(address.is_loopback or address.is_link_local for address in addresses)
