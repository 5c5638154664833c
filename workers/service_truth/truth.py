"""What became of the traffic of one port of one Service, with its form in JSON. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workers.service_truth.doors import ServicePort

Kept = Literal["kept", "broken", "excused", "untested", "unknown"]
"""`untested`: no choice; `excused`: endpoints came or went; `unknown`: who or when cannot be told."""

Why = Literal["no-endpoint", "external-local", "internal-local"]
"""`no-endpoint`: none is ready; the others: none on that node, where the policy of that name is `Local`."""

UNKNOWN = ""
"""A client whose address a node replaced, and which no vantage point saw before that."""


@dataclass(frozen=True, slots=True)
class Replica:
    """An endpoint of the Service, and what it answered.

    Attributes:
        address: With `port`, where it listens.
        pod: `NAMESPACE/NAME`, "" when it is none.
        ready: As the EndpointSlice says.
        tapped: Whether its packets were captured: without that nothing here says what it got.
        connections: Those it answered, without the kubelet's probes and health checks.
        refused: Those it answered with RST; `unanswered` those it did not answer.
        requests: HTTP requests, DNS questions and calls that could be read.
        bytes: On the wire, both ways.
    """

    address: str
    port: int
    pod: str = ""
    node: str = ""
    ready: bool = True
    tapped: bool = False
    connections: int = 0
    refused: int = 0
    unanswered: int = 0
    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """Connections of one client that one replica answered.

    Times are nanoseconds since 1970 by the clock of the node `clock`, of those that began in the capture.

    Attributes:
        client: Its address, `UNKNOWN` where nobody saw it.
        seen: The client's address as the replica sees it; "" for many.
        entry: The node whose kube-proxy chose the replica; "" when that is not known.
        front: The address and port that the client asked; "" when that was not seen.
        replica: The replica's address.
        proven: Whether the same connections were recognised on both sides of the node that rewrote them.
        connections: How many.
        requests: None where they cannot be told from another client's.
        bytes: Likewise.
        opened: How many began in the capture.
        first: When the first of those began, 0 for none; `last` likewise.
        frame: In the merged file, one packet of them; None where none is known.
        certain: Whether a node has rewritten the client's address, or is none; else processes of the node
            itself may have asked.
    """

    client: str
    seen: str
    entry: str
    front: str
    replica: str
    proven: bool
    connections: int
    requests: int | None
    bytes: int | None
    opened: int = 0
    first: int = 0
    last: int = 0
    clock: str = ""
    frame: int | None = None
    certain: bool = True

    @property
    def is_rewritten(self) -> bool:
        """Whether the replica sees another address than the client's."""
        return bool(self.client and self.seen and self.client != self.seen)


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Connections that came to the Service and got no answer, because no endpoint may give one there.

    Attributes:
        entry: The node they came in at.
    """

    client: str
    entry: str
    front: str
    connections: int
    why: Why


@dataclass(frozen=True, slots=True)
class Bound:
    """Whether a client that came in at one node stayed at one replica.

    Attributes:
        replicas: Addresses, in the order in which it first reached them.
        connections: How many that began in the capture say so.
        seconds: Between the beginnings of the two connections that show a breach; 0 without one.
    """

    client: str
    entry: str
    front: str
    replicas: tuple[str, ...]
    connections: int
    kept: Kept
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceTruth:
    """One port of a Service; fields of the Service as Kubernetes names them, with their defaults.

    Attributes:
        type: Such as `NodePort`.
        node_port: 0 for none.
        external: Whether clients from outside of the cluster can come in by it.
        external_policy: `Cluster` or `Local`, "" where nothing can come from outside.
        internal_policy: Likewise for the cluster's own clients.
        affinity_seconds: The timeout of `sessionAffinity: ClientIP`; 0 for none.
        replicas: The endpoints, by address.
        reached: Who reached which, the busiest first.
        turned_away: Who came in vain.
        affinity: Each client at each node; empty without affinity.
        uplinks: At how many nodes' uplinks it was captured.
        seconds: The longest that any of the replicas was captured.
        notes: Sentences about what cannot be told, and why.
    """

    port: ServicePort
    type: str
    node_port: int
    external: bool
    external_policy: str
    internal_policy: str
    affinity_seconds: int
    replicas: tuple[Replica, ...]
    reached: tuple[Reached, ...]
    turned_away: tuple[TurnedAway, ...] = ()
    affinity: tuple[Bound, ...] = ()
    uplinks: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`traefik/cheddar`."""
        return f"{self.port.namespace}/{self.port.service}"

    @property
    def connections(self) -> int:
        """That were answered by replicas whose packets were captured."""
        return sum(each.connections for each in self.replicas)

    @property
    def was_asked(self) -> bool:
        """Whether anybody came to it, also in vain."""
        in_vain = any(each.refused or each.unanswered for each in self.replicas)
        return bool(self.reached or self.turned_away or self.connections or in_vain)

    @property
    def tapped(self) -> tuple[Replica, ...]:
        """Those whose packets were captured."""
        return tuple(each for each in self.replicas if each.tapped)

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        values = asdict(self)
        values["port"] = self.port._asdict()
        return values

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ServiceTruth":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        given = dict(value)
        given["port"] = ServicePort(**given["port"])
        given["replicas"] = tuple(Replica(**each) for each in given["replicas"])
        given["reached"] = tuple(Reached(**each) for each in given["reached"])
        given["turned_away"] = tuple(TurnedAway(**each) for each in given["turned_away"])
        given["affinity"] = tuple(
            Bound(**{**each, "replicas": tuple(each["replicas"])}) for each in given["affinity"]
        )
        given["notes"] = tuple(given["notes"])
        return cls(**given)
