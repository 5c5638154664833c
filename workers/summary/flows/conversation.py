"""A conversation while it is counted: two directions, and what is known of both. Pure."""

from typing import Any, Final, Literal, final

from mypy_extensions import i64

from workers.summary.endpoint import Endpoint
from workers.summary.files.packets import EARLIEST, LATEST, seconds
from workers.summary.flow import Flow, Tunnel
from workers.summary.flows.key import endpoints, reverse

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10
TO_SERVER: Final = 1
TO_CLIENT: Final = 2
OTHER: Final = 3
UNKNOWN: Final = -1
"""In place of a sequence number or a time."""

_HALF: Final[i64] = 1 << 31
MASK: Final[i64] = (1 << 32) - 1
"""Of sequence numbers, which begin again at 0."""

_OUT_OF_ORDER: Final[i64] = 3_000_000  # nanoseconds, as in packet-tcp.c of Wireshark
_MOST_GAPS: Final = 64


@final
class Direction:
    """What one side sent, in counters that the counting loop changes in place.

    Attributes:
        key: Source and target address, source and target port, as they stand in the packet.
        first: Nanoseconds since 1970 of the earliest packet, `last` of the latest; undefined before one.
        base: The sequence number the side began with, as far as it can be known, else UNKNOWN.
        next: The sequence number behind everything the side has sent.
        settled: Whether a packet without SYN can be counted without `Table.track`.
        way: Place of its bytes in a bin of the timeline: TO_SERVER or TO_CLIENT.
        carries: Whether flows in a tunnel can be in it.
        listened: Whether each of its segments goes to the connection's reader.
        gaps: What is missing of its stream before `next`: where, how many bytes, since when. Few at most.
    """

    __slots__ = (
        "back",
        "base",
        "bytes",
        "carries",
        "conversation",
        "fins",
        "first",
        "gaps",
        "key",
        "last",
        "listened",
        "next",
        "out_of_order",
        "packets",
        "resets",
        "retransmitted",
        "settled",
        "syns",
        "way",
        "zero_windows",
    )

    back: "Direction"

    def __init__(self, key: bytes, conversation: "Conversation", way: i64) -> None:
        self.key = key
        self.conversation = conversation
        self.way: i64 = way
        self.packets: i64 = 0
        self.bytes: i64 = 0
        self.first: i64 = LATEST
        self.last: i64 = EARLIEST
        self.base: i64 = UNKNOWN
        self.next: i64 = 0
        self.resets: i64 = 0
        self.fins: i64 = 0
        self.syns: i64 = 0
        self.retransmitted: i64 = 0
        self.out_of_order: i64 = 0
        self.zero_windows: i64 = 0
        self.settled = self.listened = self.carries = False
        self.gaps: list[tuple[int, int, int]] | None = None

    def advance(self, sequence: i64, size: i64, flags: i64, time: i64) -> bool:
        """Follows the sequence numbers of a segment with data, SYN, FIN or RST; `size` is its data's.

        Called before `last` becomes `time`.

        Returns:
            Whether the segment was a retransmission.
        """
        end = sequence + size + (flags & FIN) + (flags >> 1 & 1)
        ahead = (end - self.next) & MASK
        again = False
        if 0 < ahead < _HALF:
            if sequence != self.next:
                self._skip(sequence, time)
            self.next = end & MASK
        elif end > sequence and not _is_keep_alive(sequence, size, flags, self.next):
            since = self._fill(sequence, end - sequence)
            again = since == UNKNOWN or flags & SYN != 0 or time - since >= self.conversation.patience
            if again:
                self.retransmitted += 1
            else:
                self.out_of_order += 1
        if flags & (FIN | RST):
            self.fins += flags & FIN
            self.resets += flags >> 2 & 1
            if self.conversation.closer is None:
                self.conversation.closer = self
        return again

    def _skip(self, sequence: i64, time: i64) -> None:
        """Notes that the stream goes on at `sequence`, and what is missing before."""
        missing = (sequence - self.next) & MASK
        if missing >= _HALF:
            return  # its beginning was there before
        if self.gaps is None:
            self.gaps = []
        elif len(self.gaps) >= _MOST_GAPS:
            del self.gaps[0]
        self.gaps.append((self.next, missing, time))

    def _fill(self, sequence: i64, size: i64) -> i64:
        """Fills what is missing there; gives since when it was, UNKNOWN where nothing of it was."""
        if not self.gaps:
            return UNKNOWN
        since: i64 = UNKNOWN
        left: list[tuple[int, int, int]] = []
        for gap in self.gaps:
            begin: i64 = gap[0]
            length: i64 = gap[1]
            inside = (sequence - begin) & MASK
            before = (begin - sequence) & MASK
            if inside >= length and before >= size:
                left.append(gap)
                continue
            if since == UNKNOWN:
                since = gap[2]
            if 0 < inside < length:
                left.append((begin, inside, gap[2]))
            filled = inside + size if inside < length else size - before
            if filled < length:
                left.append(((begin + filled) & MASK, length - filled, gap[2]))
        self.gaps = left or None
        return since

    @property
    def payload(self) -> int:
        """Bytes of the stream from its beginning, or the first segment seen, to the last one sent."""
        if self.base == UNKNOWN:
            return 0
        span = (self.next - self.base - 1 - (1 if self.fins else 0)) & MASK
        return span if span < _HALF else 0


def _is_keep_alive(sequence: i64, size: i64, flags: i64, following: i64) -> bool:
    """A probe of an idle connection repeats the last byte on purpose (RFC 9293, 3.8.4)."""
    return size <= 1 and not flags & (SYN | FIN) and (sequence + 1) & MASK == following


@final
class Conversation:
    """Two directions, the one of the first packet called forth.

    Attributes:
        index: Its place among those of its protocol; of UDP, from -1 down (`Event.flow`).
        talk: What reads its payload, if anything does.
        outside: The tunnel its first packet was in.
        requests: Questions that were read in it.
        syn_time: When the opener's first SYN came, UNKNOWN when that was not seen.
        handshake: Nanoseconds from there to its first ACK; UNKNOWN when not all of it was seen.
    """

    __slots__ = (
        "_ends",
        "back",
        "closer",
        "forth",
        "frame",
        "handshake",
        "index",
        "opener",
        "outside",
        "protocol",
        "requests",
        "syn_time",
        "talk",
        "vlan",
    )

    def __init__(
        self, protocol: Literal["TCP", "UDP"], key: bytes, index: int, flags: i64, frame: i64
    ) -> None:
        self.protocol = protocol
        self.index = index if protocol == "TCP" else ~index
        self.frame: i64 = frame
        opens = flags & (SYN | ACK)
        source, target = key[-4:-2], key[-2:]
        to_server = opens == SYN or (opens != SYN | ACK and source >= target)
        self.forth = Direction(key, self, TO_SERVER if to_server else TO_CLIENT)
        self.back = Direction(reverse(key), self, TO_CLIENT if to_server else TO_SERVER)
        self.forth.back, self.back.back = self.back, self.forth
        self.opener: Direction | None = None
        self.closer: Direction | None = None
        self.syn_time: i64 = UNKNOWN
        self.handshake: i64 = UNKNOWN
        self.talk: Any = None
        self.vlan: int | None = None
        self.outside: Tunnel | None = None
        self.requests: i64 = 0
        self._ends: tuple[Endpoint, Endpoint] | None = None

    def shake(self, side: Direction, flags: i64, time: i64) -> None:
        """Follows who opened the connection, and how long that took."""
        kind = flags & (SYN | ACK | RST)
        if kind == SYN:
            side.syns += 1
            if self.opener is None:
                self.opener = side
            if self.opener is side and self.syn_time == UNKNOWN:
                self.syn_time = time
        elif kind == SYN | ACK:
            if self.opener is None:
                self.opener = side.back
        elif kind == ACK and self.awaits(side):
            self.handshake = max(0, time - self.syn_time)

    def ends(self, side: Direction) -> tuple[Endpoint, Endpoint]:
        """Source and target of what a side sends."""
        ends = self._ends
        if ends is None:
            ends = self._ends = endpoints(self.forth.key)
        return ends if side is self.forth else (ends[1], ends[0])

    def awaits(self, side: Direction) -> bool:
        """Whether this side's next packets can still end the handshake."""
        return side is self.opener and self.syn_time != UNKNOWN and self.handshake == UNKNOWN

    @property
    def patience(self) -> i64:
        """Nanoseconds until a segment that is missing can have been sent again: there and back, if known."""
        opener = self.opener
        if opener is None or opener.syns != 1 or self.handshake == UNKNOWN:
            return _OUT_OF_ORDER
        return self.handshake

    @property
    def last(self) -> i64:
        """The time of its latest packet."""
        return max(self.forth.last, self.back.last)

    def flow(self, begin: i64) -> Flow:
        """As counted so far; `begin` is the time of the file's first packet."""
        forth, back = self.forth, self.back
        source, target = self.ends(forth)
        first = min(forth.first, back.first)
        opener, closer = self.opener, self.closer
        return Flow(
            self.protocol,
            source,
            target,
            forth.packets,
            forth.bytes,
            back.packets,
            back.bytes,
            seconds(first - begin),
            seconds(self.last - first),
            None if opener is None else "a" if opener is forth else "b",
            None if self.handshake == UNKNOWN else seconds(self.handshake),
            forth.resets,
            back.resets,
            forth.fins,
            back.fins,
            forth.retransmitted,
            back.retransmitted,
            forth.out_of_order,
            back.out_of_order,
            forth.zero_windows,
            back.zero_windows,
            forth.syns,
            back.syns,
            forth.payload,
            back.payload,
            None if closer is None else "a" if closer is forth else "b",
            self.frame,
            self.vlan,
            self.outside,
            self.requests,
        )
