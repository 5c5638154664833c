"""A conversation while it is counted: two directions, and when another begins on the same ports. Pure."""

from typing import Literal

from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
_HALF = 1 << 31
_MASK = (1 << 32) - 1


class Direction:
    """What one side sent, in counters that the counting loop changes in place.

    Attributes:
        key: Source and target address, source and target port, as they stand in the packet.
        first: Nanoseconds since 1970 of the earliest packet, `last` of the latest; undefined before one.
        base: The sequence number the side began with, as far as it can be known.
        next: The sequence number behind everything the side has sent.
        settled: Whether a packet without SYN can be counted without `Table.track`.
    """

    __slots__ = (
        "back",
        "base",
        "bytes",
        "conversation",
        "fins",
        "first",
        "key",
        "last",
        "next",
        "packets",
        "resets",
        "retransmitted",
        "settled",
    )

    back: "Direction"

    def __init__(self, key: bytes, conversation: "Conversation") -> None:
        self.key = key
        self.conversation = conversation
        self.packets = self.bytes = 0
        self.first, self.last = _MASK << 32, -1
        self.base: int | None = None
        self.next = 0
        self.resets = self.fins = self.retransmitted = 0
        self.settled = False

    def advance(self, sequence: int, size: int, flags: int) -> None:
        """Follows the sequence numbers of a segment with data, SYN, FIN or RST; `size` is its data's."""
        end = sequence + size + (flags & FIN) + (flags >> 1 & 1)
        ahead = (end - self.next) & _MASK
        if 0 < ahead < _HALF:
            self.next = end & _MASK
        elif end > sequence and not _is_keep_alive(sequence, size, flags, self.next):
            self.retransmitted += 1
        if flags & FIN:
            self.fins += 1
        if flags & RST:
            self.resets += 1


def _is_keep_alive(sequence: int, size: int, flags: int, following: int) -> bool:
    """A probe of an idle connection repeats the last byte on purpose (RFC 9293, 3.8.4)."""
    return size <= 1 and not flags & (SYN | FIN) and (sequence + 1) & _MASK == following


class Conversation:
    """Two directions, the one of the first packet called forth."""

    __slots__ = ("back", "forth", "handshake", "opener", "protocol", "syn_time")

    def __init__(self, protocol: Literal["TCP", "UDP"], key: bytes) -> None:
        self.protocol = protocol
        self.forth = Direction(key, self)
        self.back = Direction(reverse(key), self)
        self.forth.back, self.back.back = self.back, self.forth
        self.opener: Direction | None = None
        self.syn_time: int | None = None
        self.handshake: int | None = None

    def shake(self, side: Direction, flags: int, time: int) -> None:
        """Follows who opened the connection, and how long that took."""
        kind = flags & (SYN | ACK | RST)
        if kind == SYN:
            self.opener = self.opener or side
            if self.opener is side and self.syn_time is None:
                self.syn_time = time
        elif kind == SYN | ACK:
            self.opener = self.opener or side.back
        elif kind == ACK and side is self.opener and self.syn_time is not None and self.handshake is None:
            self.handshake = time - self.syn_time

    def awaits(self, side: Direction) -> bool:
        """Whether this side's next packets can still end the handshake."""
        return side is self.opener and self.syn_time is not None and self.handshake is None

    def flow(self, begin: int) -> Flow:
        """As counted so far; `begin` is the time of the file's first packet."""
        forth, back = self.forth, self.back
        source, target = endpoints(forth.key)
        first, last = min(forth.first, back.first), max(forth.last, back.last)
        return Flow(
            self.protocol,
            source,
            target,
            forth.packets,
            forth.bytes,
            back.packets,
            back.bytes,
            (first - begin) / 1e9,
            (last - first) / 1e9,
            None if self.opener is None else "a" if self.opener is forth else "b",
            None if self.handshake is None else self.handshake / 1e9,
            forth.resets,
            back.resets,
            forth.fins,
            back.fins,
            forth.retransmitted,
            back.retransmitted,
        )


class Table:
    """The conversations of one protocol; `sides` leads from a packet's key to its direction."""

    def __init__(self, protocol: Literal["TCP", "UDP"]) -> None:
        self.protocol = protocol
        self.sides: dict[bytes, Direction] = {}
        self.conversations: list[Conversation] = []

    def open(self, key: bytes) -> Direction:
        """A new conversation, which packets of these addresses and ports belong to from now on."""
        conversation = Conversation(self.protocol, key)
        self.conversations.append(conversation)
        # A socket connected to itself has one direction: it is entered last.
        self.sides[conversation.back.key] = conversation.back
        self.sides[key] = conversation.forth
        return conversation.forth

    def track(
        self, key: bytes, flags: int, sequence: int, acknowledged: int, time: int, *, whole: bool = True
    ) -> Direction:
        """The direction that a TCP segment belongs to, which a SYN can begin anew.

        A side begins at its SYN, or one before its first segment, or where the other side's first
        acknowledgement says; packet-tcp.c of Wireshark reckons so, never from a segment that is not `whole`.
        """
        side = self.sides.get(key) or self.open(key)
        if flags & (SYN | ACK) == SYN and side.base is not None and side.base != sequence:
            side = self.open(key)
        if not side.packets:
            side.next = sequence
        if whole:
            if side.base is None:
                side.base = sequence if flags & SYN else (sequence - 1) & _MASK
            if flags & ACK and side.back.base is None:
                side.back.base = (acknowledged - 1) & _MASK
        conversation = side.conversation
        conversation.shake(side, flags, time)
        known = side.base is not None and side.back.base is not None
        side.settled = known and not conversation.awaits(side)
        return side


def reverse(key: bytes) -> bytes:
    """The key of the other direction."""
    ports = len(key) - 4
    half = ports // 2
    return key[half:ports] + key[:half] + key[ports + 2 :] + key[ports : ports + 2]


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and target of a key."""
    ports = len(key) - 4
    half = ports // 2
    source, target = key[ports : ports + 2], key[ports + 2 :]
    return (
        Endpoint.packed(key[:half], int.from_bytes(source, "big")),
        Endpoint.packed(key[half:ports], int.from_bytes(target, "big")),
    )
