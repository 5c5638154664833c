"""How far a running capture is. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a capture is.

    Attributes:
        packets: Packets that have arrived here, or None when they cannot be counted.
        bytes: Bytes that have arrived here.
        seconds: Since tcpdump began to listen.
    """

    packets: int | None
    bytes: int
    seconds: float
