"""A connection as one vantage point saw it, packet by packet. Pure.

Of a packet 32 bytes are kept, four numbers of 64 bits in one array for each direction: its time, what it says
of itself, its size with its marks, its frame in the merged file.
"""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from workers.vantage.passage import Protocol

TCP: Protocol = "TCP"
UDP: Protocol = "UDP"
ICMP: Protocol = "ICMP"

FIN, SYN, RST, ACK = 1, 2, 4, 16
_TELLING = FIN | SYN | RST | ACK
"""Flags that nothing changes on the way; merging segments moves PSH, marking congestion sets ECE and CWR."""

_FLAGS_AT, _ID_AT, _HOPS_AT = 24, 32, 48
_SIZE, WITHOUT_HOPS = (1 << _FLAGS_AT) - 1, (1 << _HOPS_AT) - 1
FIELDS = 4


def marks(size: int, flags: int, identity: int, hops: int) -> int:
    """The third number of a packet.

    Args:
        size: Of TCP the sequence numbers it takes; of others the bytes it carries.
        flags: Of TCP.
        identity: Of the IPv4 header, 0 for IPv6.
        hops: Time to live, or hop limit.
    """
    return min(size, _SIZE) | (flags & _TELLING) << _FLAGS_AT | identity << _ID_AT | hops << _HOPS_AT


class Packet(NamedTuple):
    """One packet.

    Attributes:
        time: Nanoseconds since 1970 by its node's clock.
        said: Of TCP the sequence and the acknowledgement number, 32 bits each; of others a number that
            differs with what they carry.
        marks: As `marks` packs them.
        frame: In the merged file.
    """

    time: int
    said: int
    marks: int
    frame: int

    @property
    def sequence(self) -> int:
        """Of TCP."""
        return self.said >> 32

    @property
    def size(self) -> int:
        """Of TCP the sequence numbers it takes, SYN and FIN among them."""
        return self.marks & _SIZE

    @property
    def flags(self) -> int:
        """Of TCP: FIN, SYN, RST, ACK."""
        return self.marks >> _FLAGS_AT & 0xFF

    @property
    def identity(self) -> int:
        """The identification of the IPv4 header, 0 for IPv6."""
        return self.marks >> _ID_AT & 0xFFFF

    @property
    def hops(self) -> int:
        """Time to live, or hop limit."""
        return self.marks >> _HOPS_AT

    @property
    def itself(self) -> tuple[int, int]:
        """What is the same wherever the packet is seen, as long as nothing merges or splits it."""
        return self.said, self.marks & WITHOUT_HOPS


def packets(four: "array[int]") -> Iterator[Packet]:
    """Packets of one direction, in the order of the file."""
    each = iter(four)
    return map(Packet, each, each, each, each)


def any_flag(four: "array[int]", flag: int) -> bool:
    """Whether a flag of TCP is set in any packet of one direction."""
    marked = flag << _FLAGS_AT
    return any(each & marked for each in four[2::FIELDS])


class Sighting:
    """One connection under one pair of addresses at one vantage point.

    Attributes:
        vantage: Its number.
        protocol: TCP, UDP or ICMP.
        tunnelled: Whether its packets were inside of others.
        ends: The sender of its first packet, and the receiver: address and port as they stand in packets.
        ways: Packets of the one to the other, and back.
        opener: The end (0 or 1) that sent the SYN or the echo request; None when that was not seen.
        begun: Of TCP the opener's first sequence number, None when not seen.
        answered: Likewise the other's.
        syns: The TCP timestamps and IP identifications of its first SYNs, 0 where there is none.
    """

    __slots__ = (
        "answered",
        "begun",
        "ends",
        "opener",
        "protocol",
        "syns",
        "tunnelled",
        "vantage",
        "ways",
    )

    def __init__(
        self, vantage: int, protocol: Protocol, ends: tuple[bytes, bytes], *, tunnelled: bool = False
    ) -> None:
        """One without packets."""
        self.vantage = vantage
        self.protocol = protocol
        self.tunnelled = tunnelled
        self.ends = ends
        self.ways: tuple[array[int], array[int]] = (array("Q"), array("Q"))
        self.opener: int | None = None
        self.begun: int | None = None
        self.answered: int | None = None
        self.syns: list[tuple[int, int]] = []

    def packets(self, way: int) -> Iterator[Packet]:
        """Those of one direction, in the order of the file."""
        return packets(self.ways[way])

    def count(self, way: int) -> int:
        """How many of one direction."""
        return len(self.ways[way]) // FIELDS
