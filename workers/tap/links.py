"""Links, neighbours and forwarding entries of a node, in types. Pure."""

from dataclasses import dataclass

from workers.tap.counters import Counters


@dataclass(frozen=True)
class Link:
    """A link of the node's own network namespace (`ip -d link`).

    Attributes:
        kind: What the kernel calls it: `veth`, `bridge`, `macvlan`, …; None for hardware and loopback.
        peer_index: ifindex of the link it is paired with or built on, in that link's namespace.
        netns_id: Id of that namespace; None when it is this one.
        counters: What it had counted, of the few links that could carry the pod's packets.
    """

    ifindex: int
    name: str
    kind: str | None = None
    master: str | None = None
    peer_index: int | None = None
    netns_id: int | None = None
    counters: Counters | None = None


@dataclass(frozen=True)
class Neighbour:
    """An address and the MAC address that answers for it on a device."""

    address: str
    device: str
    mac: str


@dataclass(frozen=True)
class Forwarding:
    """A MAC address that a bridge has learned behind one of its ports."""

    mac: str
    port: str
    bridge: str
