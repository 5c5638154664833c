"""Traffic over time, in bins. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_BINS = 600


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts for each of up to 600 spans of equal width from the first packet of the file on.

    All sequences have the same length. In a file whose times go backwards, what is before its first packet
    counts in the first bin.

    Attributes:
        width: Seconds that a bin spans: 0.001 times a power of two.
        packets: All packets.
        to_server: Bytes that clients of flows sent (`Flow.client`).
        to_client: Bytes that servers sent.
        other: Bytes outside of TCP and UDP.
        marks: For kinds of events (`event.Kind`), how many there were; none of a kind that did not happen.
    """

    width: float
    packets: tuple[int, ...] = ()
    to_server: tuple[int, ...] = ()
    to_client: tuple[int, ...] = ()
    other: tuple[int, ...] = ()
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
