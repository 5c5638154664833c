"""How a pod can be connected, as CNI plugins do it: the commands of ip(8), pure.

A pod chooses by its annotation `lab/network`:

- `bridge`, the default: a veth to the node's bridge cni0, as the bridge plugin and flannel have it.
- `routed`: a veth without a bridge, a route to the pod's address, ARP answered by the node, as Calico has it.
- `macvlan`: a child of the node's uplink. The node has no link of the pod's, and cannot reach it.
- `overlay`: a veth to the bridge cni1, whose packets reach other nodes through VXLAN, as flannel's.
- `dual-stack`: as `bridge`, with an IPv6 address besides; `ipv6`: with that alone.
- `two-interfaces`: as `bridge`, and a net1 on another bridge; `macvlan-second`: as `bridge`, and a net1 that
  is a macvlan; both as Multus adds them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from deploy.lab.kubelet.addresses import interface_name
from deploy.lab.node.network import BRIDGE, OVERLAY_BRIDGE, SECOND_BRIDGE
from deploy.lab.plan import NODES, POD_RANGE, ROUTED_GATEWAY, Node

INDEX = 2
"""Every pod's eth0 has this index in its own namespace, as in a real cluster: it tells nothing."""

SECOND_INDEX = 3
_OVERLAY_MTU = 1450
_DISABLED = "0"
_ENABLED = "1"


@dataclass(frozen=True)
class Place:
    """Where a pod is to be connected.

    Attributes:
        process: One in the pod's network namespace.
        address: The pod's IPv4 address, of the range that its topology takes it from.
        next_index: Gives an index for a new link of the node.
    """

    node: Node
    namespace: str
    pod: str
    uid: str
    process: int
    address: str
    next_index: Callable[[], int]


@dataclass(frozen=True)
class Wiring:
    """A pod's connection.

    Attributes:
        addresses: The pod's, the primary one first.
        link: Its link on the node; "" when there is none.
        on_node: Commands on the node.
        in_pod: Commands in the pod's network namespace, afterwards.
        settings: Below /proc/sys/net on the node, between the two.
        links: Of the node, to be removed with the pod.
    """

    addresses: tuple[str, ...]
    link: str
    on_node: tuple[str, ...]
    in_pod: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()


def routed_name(namespace: str, pod: str) -> str:
    """A pod's link as Calico names it: `cali` and 11 digits of the SHA-1 of NAMESPACE.POD."""
    return f"cali{hashlib.sha1(f'{namespace}.{pod}'.encode(), usedforsecurity=False).hexdigest()[:11]}"


def _bridge(place: Place) -> Wiring:
    return _bridged(place, BRIDGE, place.node.gateway)


def _overlay(place: Place) -> Wiring:
    mtu = f"link set eth0 mtu {_OVERLAY_MTU}"
    return _bridged(place, OVERLAY_BRIDGE, place.node.overlay_gateway, mtu)


def _dual_stack(place: Place) -> Wiring:
    four, six = _bridge(place), _address6(place)
    return Wiring(
        (*four.addresses, six), four.link, four.on_node, (*four.in_pod, *_commands6(place)), links=four.links
    )


def _ipv6(place: Place) -> Wiring:
    link = interface_name(place.uid)
    on_node = tuple(_port(place, link, "eth0", INDEX, BRIDGE))
    return Wiring((_address6(place),), link, on_node, (*_up(), *_commands6(place)), links=(link,))


def _routed(place: Place) -> Wiring:
    link = routed_name(place.namespace, place.pod)
    return Wiring(
        (place.address,),
        link,
        (
            # Calico's links all have this address: it tells nothing either.
            _veth(place, link, "eth0", INDEX, "address ee:ee:ee:ee:ee:ee"),
            f"link set {link} up",
            f"route add {place.address}/32 dev {link} scope link",
        ),
        (
            *_up(f"{place.address}/32"),
            f"route add {ROUTED_GATEWAY} dev eth0 scope link",
            f"route add default via {ROUTED_GATEWAY} dev eth0",
        ),
        {
            f"ipv4/conf/{link}/proxy_arp": _ENABLED,
            f"ipv4/neigh/{link}/proxy_delay": _DISABLED,  # otherwise up to 0.8 s
        },
        (link,),
    )


def _macvlan(place: Place) -> Wiring:
    return Wiring(
        (place.address,),
        "",
        (_macvlan_child("eth0", INDEX, place),),
        (*_up(f"{place.address}/24"), *_ways(place.node)),
    )


def _two_interfaces(place: Place) -> Wiring:
    first, second = _bridge(place), interface_name(f"{place.uid}/net1")
    return Wiring(
        first.addresses,
        first.link,
        (*first.on_node, *_port(place, second, "net1", SECOND_INDEX, SECOND_BRIDGE)),
        (*first.in_pod, "link set net1 up", f"addr add {_second_address(place)}/24 dev net1"),
        links=(first.link, second),
    )


def _macvlan_second(place: Place) -> Wiring:
    first = _bridge(place)
    return Wiring(
        first.addresses,
        first.link,
        (*first.on_node, _macvlan_child("net1", SECOND_INDEX, place)),
        (*first.in_pod, "link set net1 up", f"addr add {_second_address(place)}/24 dev net1"),
        links=first.links,
    )


@dataclass(frozen=True)
class Topology:
    """One way to connect a pod.

    Attributes:
        range: The range of the node that its IPv4 addresses come from.
        wire: Says how.
    """

    range: Callable[[Node], str]
    wire: Callable[[Place], Wiring]


def _pod_range(node: Node) -> str:
    return node.pod_range


TOPOLOGIES: Mapping[str, Topology] = {
    "bridge": Topology(_pod_range, _bridge),
    "routed": Topology(lambda node: node.routed_range, _routed),
    "macvlan": Topology(lambda node: node.lan_range, _macvlan),
    "overlay": Topology(lambda node: node.overlay_range, _overlay),
    "dual-stack": Topology(_pod_range, _dual_stack),
    "ipv6": Topology(_pod_range, _ipv6),
    "two-interfaces": Topology(_pod_range, _two_interfaces),
    "macvlan-second": Topology(_pod_range, _macvlan_second),
}


def _bridged(place: Place, bridge: str, gateway: str, *more: str) -> Wiring:
    link = interface_name(place.uid)
    return Wiring(
        (place.address,),
        link,
        tuple(_port(place, link, "eth0", INDEX, bridge)),
        (
            *more,
            *_up(f"{place.address}/24"),
            f"route add {POD_RANGE} via {gateway}",
            f"route add default via {gateway}",
        ),
        links=(link,),
    )


def _port(place: Place, link: str, inside: str, index: int, bridge: str) -> Iterator[str]:
    """A veth from a bridge of the node into the pod."""
    yield _veth(place, link, inside, index)
    yield f"link set {link} master {bridge}"
    yield f"link set {link} type bridge_slave hairpin on"
    yield f"link set {link} up"


def _veth(place: Place, link: str, inside: str, index: int, more: str = "") -> str:
    own = f"link add {link} index {place.next_index()} {more}".rstrip()
    return f"{own} type veth peer name {inside} netns {place.process} index {index}"


def _macvlan_child(inside: str, index: int, place: Place) -> str:
    return f"link add link eth0 name {inside} netns {place.process} index {index} type macvlan mode bridge"


def _ways(node: Node) -> Iterator[str]:
    """To the other nodes' pods; never to those of its own node, which it cannot reach."""
    for other in NODES:
        if other != node:
            for one in (other.pod_range, other.routed_range, other.overlay_range):
                yield f"route add {one} via {other.address}"


def _up(*addresses: str) -> Iterator[str]:
    yield "link set lo up"
    yield "link set eth0 up"
    yield from (f"addr add {address} dev eth0" for address in addresses)


def _number(place: Place) -> int:
    return int(place.address.rpartition(".")[2])


def _address6(place: Place) -> str:
    return str(ip_network(place.node.pod_range6)[_number(place)])


def _commands6(place: Place) -> Iterator[str]:
    yield f"addr add {_address6(place)}/64 dev eth0 nodad"
    yield f"route add default via {place.node.gateway6}"


def _second_address(place: Place) -> str:
    return str(ip_network(place.node.second_range)[_number(place)])
