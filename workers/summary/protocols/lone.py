"""All packets outside of TCP and UDP: ARP, ICMP, ICMPv6. Pure."""

from collections.abc import Iterator

from workers.summary.event import Event
from workers.summary.protocols import icmp
from workers.summary.protocols.neighbours import Neighbours
from workers.summary.protocols.reader import Lone


class LonePackets:
    """Reads those of one file; a `LoneReader`."""

    def __init__(self) -> None:
        self._neighbours = Neighbours()

    def read(self, packet: Lone) -> Iterator[Event]:
        """The events that this packet makes sure."""
        yield from icmp.errors(packet)
        yield from self._neighbours.read(packet)

    def end(self) -> Iterator[Event]:
        """Those that only the end of the file makes sure."""
        yield from self._neighbours.end()
