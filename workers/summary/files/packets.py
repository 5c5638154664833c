"""The packets of a capture file, one after another. Pure.

Whoever goes through a big file asks a million times: so a packet is not an object of its own, but what the
reader stands at.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from mypy_extensions import i64

EARLIEST: Final = -(1 << 61)
LATEST: Final = 1 << 62
"""Nanoseconds since 1970 that a packet can have: from 1896 to 2116, so that differences fit into 64 bits."""

LONGEST_PACKET: Final = 262_144
"""Bytes; what claims more is no packet (libpcap's MAXIMUM_SNAPLEN; Wireshark stops there, too)."""

Packet = tuple[bytes, int, int, int, int]
"""Buffer, where the packet starts in it, captured bytes, bytes on the wire, nanoseconds since 1970."""


def seconds(nanoseconds: i64) -> float:
    """The span between two packets."""
    return float(nanoseconds) / 1e9


EMPTY = "The file is empty: fetch it again, or capture again."
CUT_IN_HEADER = "The file ends in the middle of its header: fetch it again, or capture again."
NO_CAPTURE = (
    "The file is neither pcap nor pcapng: what else Wireshark opens is converted by "
    "`editcap -F pcapng FILE OUT`."
)


class PcapError(Exception):
    """The file cannot be read as pcap at all; the message is one sentence that says what to do."""


class Source(Protocol):
    """What a file is read from; a pipe may give less than it is asked for, and nothing at its end only."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class Packets:
    """A file that is read from its beginning to its end, once.

    Attributes:
        data: A buffer with the packet that `next` found last.
        start: Where it starts there.
        captured: How many bytes of it are there.
        length: How many it had on the wire.
        time: Nanoseconds since 1970.
        link_type: Its LINKTYPE_ value.
        names: Host names that the file has for addresses.
        untimed: Whether some of the packets so far have no time of their own.
        trouble: After the last packet: a sentence that says why the file goes on without packets, else None.
    """

    def __init__(self, source: Source, link_type: int) -> None:
        """Reads nothing yet."""
        self._source = source
        self.data = b""
        self.start: i64 = 0
        self.captured: i64 = 0
        self.length: i64 = 0
        self.time: i64 = 0
        self.link_type: i64 = link_type
        self.names: dict[str, str] = {}
        self.untimed = False
        self.trouble: str | None = None

    def next(self) -> bool:
        """Goes to the next whole packet, in the order of the file; False when there is none.

        Raises:
            PcapError: The file is not what its first bytes said.
        """
        raise NotImplementedError

    def packets(self) -> Iterator[Packet]:
        """Every packet from here on."""
        while self.next():
            yield self.data, self.start, self.captured, self.length, self.time
