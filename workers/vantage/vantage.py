"""A place where packets were taken. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["pod", "uplink"]


@dataclass(frozen=True, slots=True)
class Vantage:
    """One tap of a capture, as far as comparing it with the others needs to know it.

    Times are nanoseconds since 1970 by the clock of its node.

    Attributes:
        number: From 0, without gaps; the number of its interface in the merged file.
        name: As people read it: `traefik/cheddar-845749dbd6-zcdjm`, `uplink of k8s-node02`.
        kind: `pod` for a pod's own interface, `uplink` for the one by which a node reaches others.
        node: The node's name: vantage points of one node have one clock.
        addresses: Of the pod, or of the node.
        interface: Its name on the node.
        began: From when on packets count; 0 when not known: from the first packet on.
        ended: Until when it captured; None when not known: until its last packet.
        dropped: Packets that the kernel dropped there; None when not known.
        filter: Everything that narrowed it, as it was compiled; "" for what its interface in the file says.
    """

    number: int
    name: str
    kind: Kind
    node: str
    addresses: tuple[str, ...]
    interface: str = ""
    began: int = 0
    ended: int | None = None
    dropped: int | None = None
    filter: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Vantage":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError: It is something else.
        """
        return cls(**{**value, "addresses": tuple(value["addresses"])})
