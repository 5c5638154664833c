"""What a capture file says of itself beside its packets. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class About:
    """Everything in a pcapng file that is no packet.

    Attributes:
        comment: On the whole file: the capture's id, what it captured, its filter.
        application: What wrote it, such as `podcap 0.1.0`.
        interface: The interface's name on its node.
        description: What passes there: the pod and its node.
        filter: The capture filter as it was compiled; "" for none.
        hardware: Of the node, such as `amd64`.
        system: The node's operating system.
        hosts: Address to host name.
        received: Packets that the filter let through, None where that is not known.
        dropped: Packets that the kernel dropped, likewise.
        began: When its packets began to count, in nanoseconds since 1970 by its node's clock; earlier ones
            are left out; None where that is not known.
    """

    comment: str
    application: str
    interface: str = ""
    description: str = ""
    filter: str = ""
    hardware: str = ""
    system: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    received: int | None = None
    dropped: int | None = None
    began: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `About(**value)` reads it back."""
        return asdict(self)
