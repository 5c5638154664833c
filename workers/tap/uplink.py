"""Which interface is a node's uplink: by which it reaches the other nodes and the world. Pure.

Two opinions: the interface with the address that Kubernetes knows the node by, and the one of the default
route. Where they agree it is certain. Where they differ, as on a machine with a second interface for its way
out, clients and other nodes come in at the node's address. A bond, a VLAN or a bridge with that address is
the interface itself: the node speaks through it, and what passes its ports passes it, too.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workers.tap.tap import KUBELET_PORT, NoTap, Tap

UPLINK = "uplink"
"""The method of such a tap."""

API_SERVER_PORTS = (443, 6443)
"""Where API servers listen, for where the cluster does not say it."""


@dataclass(frozen=True)
class Interface:
    """An interface of the node; `kind` is what the kernel calls it, None for hardware."""

    ifindex: int
    name: str
    kind: str | None
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class NodeNetwork:
    """What `ip` says in the node's own network.

    Attributes:
        interfaces: All of them.
        defaults: Devices of default routes, the best of each family first; two of the same metric are both
            there.
    """

    interfaces: tuple[Interface, ...]
    defaults: tuple[str, ...]


def node_network(text: str) -> NodeNetwork:
    """Reads what `ip -j -d address` and `ip -j [-6] route show default` printed, one behind the other.

    Raises:
        ValueError: They printed something else.
    """
    interfaces: list[Interface] = []
    defaults: list[str] = []
    for rows in _documents(text):
        if rows and "ifindex" in rows[0]:
            interfaces += map(_interface, rows)
        routes = [row for row in rows if row.get("dst") == "default" and "dev" in row]
        best = min((row.get("metric", 0) for row in routes), default=0)
        defaults += [row["dev"] for row in routes if row.get("metric", 0) == best]
    if not interfaces:
        raise ValueError("no interface")
    return NodeNetwork(tuple(interfaces), tuple(dict.fromkeys(defaults)))


def decide_uplink(
    network: NodeNetwork, node: str, addresses: Sequence[str], api: Sequence[tuple[str, int]]
) -> Tap:
    """The tap at a node's uplink, without what podcap itself sends through it.

    Args:
        network: What the node said.
        node: The node's name.
        addresses: Its addresses, as Kubernetes knows them.
        api: Addresses and ports of the API servers, through which podcap's packets come; none: not known.

    Raises:
        NoTap: No interface is certain enough.
    """
    has = [one for one in network.interfaces if set(addresses) & set(one.addresses)]
    routed = [one for one in network.interfaces if one.name in network.defaults]
    agreed = [one for one in has if one in routed]
    if agreed:
        chosen, confidence = agreed[0], "high"
        proof = [f"it has the node's address {_shared(chosen, addresses)}, and the default route agrees"]
    elif has:
        chosen, confidence = has[0], "medium"
        proof = [f"it has the node's address {_shared(chosen, addresses)}"]
    elif len(routed) == 1:
        chosen, confidence = routed[0], "medium"
        proof = ["it has the default route; no interface has an address that Kubernetes knows the node by"]
    else:
        raise NoTap(
            f"No interface of node {node} is proven to be its uplink: none has an address that Kubernetes "
            f"knows it by ({', '.join(addresses) or 'it has none'}), and {_routes(network)}."
        )
    if chosen.kind is not None:
        proof.append(f"a {chosen.kind}")
    others = [one.name for one in (*has, *routed) if one != chosen]
    if others:
        proof.append(f"not captured: {', '.join(dict.fromkeys(others))}")
    left_out, said = _without_own_streams(api)
    return Tap(
        node=node,
        interface=chosen.name,
        ifindex=chosen.ifindex,
        method=UPLINK,
        proof=(*proof, said),
        confidence="high" if confidence == "high" else "medium",
        narrow=left_out,
    )


def _without_own_streams(api: Sequence[tuple[str, int]]) -> tuple[str, str]:
    """The filter that leaves podcap's own connections out, and what is said of it.

    They go from the worker to an API server and from there to the node's kubelet, and carry everything that
    is captured: what was sent would be captured, and sent again.
    """
    if api:
        terms = [f"(host {address} and tcp port {port})" for address, port in sorted(set(api))]
        named = "what passes between anybody and the API servers"
    else:
        terms = [f"tcp port {port}" for port in API_SERVER_PORTS]
        named = f"tcp {' and '.join(map(str, API_SERVER_PORTS))}, where API servers listen"
    left_out = " or ".join([f"tcp port {KUBELET_PORT}", *terms])
    return (
        f"not ({left_out})",
        f"not captured, because podcap's own connections pass there: kubelets' port and {named}",
    )


def _documents(text: str) -> Iterator[list[dict[str, Any]]]:
    decoder = json.JSONDecoder()
    rest = text.strip()
    while rest:
        rows, end = decoder.raw_decode(rest)
        if not isinstance(rows, list):
            raise ValueError("no list")  # noqa: TRY004, as raw_decode says it
        yield [row for row in rows if isinstance(row, dict) and row]
        rest = rest[end:].strip()


def _interface(row: dict[str, Any]) -> Interface:
    return Interface(
        ifindex=int(row["ifindex"]),
        name=str(row["ifname"]),
        kind=(row.get("linkinfo") or {}).get("info_kind"),
        addresses=tuple(str(one["local"]) for one in row.get("addr_info") or [] if "local" in one),
    )


def _shared(interface: Interface, addresses: Sequence[str]) -> str:
    return ", ".join(address for address in addresses if address in interface.addresses)


def _routes(network: NodeNetwork) -> str:
    if not network.defaults:
        return "there is no default route"
    return f"there are several default routes ({', '.join(network.defaults)})"
