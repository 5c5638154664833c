"""Where a Service is reached from outside the cluster: ports of nodes and addresses of its own. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NODES = 20
"""At so many nodes' uplinks a Service is captured; of more, at those with its pods first."""

_PORTS = re.compile(r"\b(?:port|portrange)\b|\[")
_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}


@dataclass(frozen=True, slots=True)
class Entrance:
    """How clients outside reach a Service.

    Attributes:
        filter: What of a node's packets that is (pcap-filter(7)).
        local: Whether only a node with a pod of it takes them in (externalTrafficPolicy: Local).
    """

    filter: str
    local: bool


def entrance(service: Mapping[str, Any]) -> Entrance | None:
    """The entrance of a `v1.Service`; None for one that is reached from inside alone."""
    spec = service["spec"]
    ports = [one for one in spec.get("ports") or [] if one.get("protocol", "TCP") in _PROTOCOLS]
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    addresses = [*(spec.get("externalIPs") or []), *(one["ip"] for one in ingress if one.get("ip"))]
    at_nodes = [f"{_protocol(one)} port {one['nodePort']}" for one in ports if one.get("nodePort")]
    at_addresses = [
        f"(host {address} and {_protocol(one)} port {one['port']})"
        for address in dict.fromkeys(addresses)
        for one in ports
    ]
    conditions = list(dict.fromkeys([*at_nodes, *at_addresses]))
    if not conditions:
        return None
    return Entrance(" or ".join(conditions), spec.get("externalTrafficPolicy") == "Local")


def entered_nodes(
    entered: Entrance, *, pods_on: Iterable[str], ready: Iterable[str], most: int = MOST_NODES
) -> list[str]:
    """The nodes by which clients can come in.

    Args:
        entered: How they come in.
        pods_on: Nodes of the Service's pods.
        ready: All nodes that are Ready.
        most: How many at most; those with pods come first.
    """
    known = sorted(set(ready))
    with_pods = [name for name in known if name in set(pods_on)]
    if entered.local:
        return with_pods[:most]
    return [*with_pods, *(name for name in known if name not in with_pods)][:most]


def is_about_ports(capture_filter: str) -> bool:
    """Whether a filter asks for ports, perhaps by bytes: in front of a Service they are others."""
    return _PORTS.search(capture_filter) is not None


def _protocol(port: Mapping[str, Any]) -> str:
    return _PROTOCOLS[port.get("protocol", "TCP")]
