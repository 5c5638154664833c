"""NetworkPolicies: which select a pod, and what they let through. Pure.

As Kubernetes defines them (networking.k8s.io/v1): policies only ever add; a pod that one of them selects for
a direction gets what any of them allows, and nothing else. What a node asks its own pods is always allowed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Direction = Literal["Ingress", "Egress"]
"""To the pod, and from it."""

Verdict = bool | None
"""Allowed or not; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A NetworkPolicy, its `spec` as the API has it."""

    namespace: str
    name: str
    spec: Mapping[str, Any]

    @property
    def directions(self) -> tuple[str, ...]:
        """What it speaks of; where it does not say, Ingress, and Egress if it has rules for that."""
        given = self.spec.get("policyTypes")
        if given:
            return tuple(given)
        return ("Ingress", "Egress") if self.spec.get("egress") else ("Ingress",)

    def rules(self, direction: Direction) -> list[Mapping[str, Any]]:
        """Its rules for a direction."""
        return self.spec.get(direction.lower()) or []

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether it is about this pod."""
        return namespace == self.namespace and matches(self.spec.get("podSelector") or {}, labels)


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    Attributes:
        address: Its address, as the pod's node sees it.
        namespace: Of the pod that has it; "" when it is no pod's, or not known.
        labels: Of that pod.
        namespace_labels: Of its namespace; None when they are not known.
        own_node: Whether it is the pod's own node.
        outside: Whether it is certainly no pod's.
    """

    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] | None = None
    own_node: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """The port that is asked for, at whichever end; `names` are what the container calls it."""

    number: int
    protocol: str = "TCP"
    names: tuple[str, ...] | None = None


def policy(given: Mapping[str, Any]) -> Policy:
    """Reads a `networking.k8s.io/v1` NetworkPolicy as the API returns it."""
    metadata = given["metadata"]
    return Policy(metadata["namespace"], metadata["name"], given.get("spec") or {})


def allowed(policies: Iterable[Policy], direction: Direction, port: Port, peer: Peer) -> Verdict:
    """Whether policies that select a pod let a connection through.

    Args:
        policies: Those that select the pod; those of the other direction are passed over.
        direction: Seen from the pod.
        port: The server's.
        peer: The other end.
    """
    governing = [each for each in policies if direction in each.directions]
    if not governing or peer.own_node:
        return True
    verdicts = {
        _rule(rule, direction, port, peer, each.namespace)
        for each in governing
        for rule in each.rules(direction)
    }
    return True if True in verdicts else None if None in verdicts else False


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a `metav1.LabelSelector` selects labels; an empty one selects all."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or [])


def _expression(given: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(given["key"]), given.get("values") or []
    match given["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def _rule(rule: Mapping[str, Any], direction: Direction, port: Port, peer: Peer, namespace: str) -> Verdict:
    listed = rule.get("from" if direction == "Ingress" else "to") or []
    ports = rule.get("ports") or []
    return _both(
        _any(_port(each, port) for each in ports) if ports else True,
        _any(_peer(each, peer, namespace) for each in listed) if listed else True,
    )


def _port(given: Mapping[str, Any], port: Port) -> Verdict:
    if (given.get("protocol") or "TCP") != port.protocol:
        return False
    wanted = given.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str) and not wanted.isdecimal():
        return None if port.names is None else wanted in port.names
    return int(wanted) <= port.number <= int(given.get("endPort") or wanted)


def _peer(given: Mapping[str, Any], peer: Peer, namespace: str) -> Verdict:
    block = given.get("ipBlock")
    if block:
        inside = _inside(peer.address, [block["cidr"]])
        return inside and not _inside(peer.address, block.get("except") or [])
    pods, namespaces = given.get("podSelector"), given.get("namespaceSelector")
    if not peer.namespace:
        return False if peer.outside else None
    in_namespace: Verdict
    if namespaces is None:
        in_namespace = peer.namespace == namespace
    elif peer.namespace_labels is None:
        in_namespace = True if not namespaces else None
    else:
        in_namespace = matches(namespaces, peer.namespace_labels)
    return _both(in_namespace, pods is None or matches(pods, peer.labels))


def _inside(address: str, networks: Iterable[str]) -> bool:
    own = ip_address(address)
    return any(own in ip_network(each, strict=False) for each in networks)


def _any(verdicts: Iterator[Verdict]) -> Verdict:
    told = set(verdicts)
    return True if True in told else None if None in told else False


def _both(one: Verdict, other: Verdict) -> Verdict:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True
