"""Reading a pcapng file: one streaming pass, as far as the file goes.

The format is draft-ietf-opsawg-pcapng: sections in either byte order, each with its interfaces (link type,
resolution of times, offset of times), packets in three kinds of blocks, names of addresses, and blocks
that are passed over.
"""

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mypy_extensions import i64

from workers.summary.endpoint import Endpoint
from workers.summary.files.packets import (
    CUT_IN_HEADER,
    EARLIEST,
    LATEST,
    LONGEST_PACKET,
    NO_CAPTURE,
    Packets,
    PcapError,
    Source,
)

_BLOCK = 1 << 17  # as in pcapfile
_SECTION = b"\x0a\x0d\x0d\x0a"  # the same in either byte order
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _NAMES, _PACKET = 1, 2, 3, 4, 6
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_SHORTEST = 12
_BEGINNINGS = {_SECTION: 14}  # to behind its version
_VERSION = 1  # the major one; Wireshark stops at another, too
# Wireshark takes no longer block either (MAX_BLOCK_SIZE, wiretap/pcapng.c).
_LONGEST = 16 << 20
_END_OF_OPTIONS, _RESOLUTION, _OFFSET = 0, 9, 14
_MICROSECONDS, _SECOND = 6, 1_000_000_000
_MOST_INTERFACES, _MOST_NAMES = 10_000, 10_000
_AHEAD = 1 << 20  # bytes in which a first time is looked for
_HOST_NAME = re.compile(rb"[A-Za-z0-9._-]{1,255}")
_DAMAGED = "The file is damaged: what follows is no block of pcapng."


@dataclass(frozen=True, slots=True)
class _Interface:
    """`units` are those of a second in its times, `offset` is in nanoseconds."""

    link_type: int
    snaplen: int
    units: int
    offset: int

    def time(self, ticks: int) -> int:
        return min(max(EARLIEST, ticks * _SECOND // self.units + self.offset), LATEST)


class PcapngFile(Packets):
    """A pcapng file from its first byte on; of names it gives 10,000 at most.

    A packet without a time has that of the one before it, or, at the beginning, of the first that has one.

    Args:
        source: The file.
        order: Where it goes on in the middle of a section: that section's byte order, as struct writes it.
        interfaces: And its interfaces so far.

    Attributes:
        timed: Whether some of the packets so far have a time of their own.
    """

    def __init__(self, source: Source, order: str = "", interfaces: Sequence[_Interface] = ()) -> None:
        """Reads nothing yet."""
        super().__init__(source, 0)
        self._order = order or "<"
        self._interfaces = [*interfaces]
        self._at: i64 = 0
        self._begun = self._looked_ahead = order != ""
        self.timed = False

    def next(self) -> bool:
        """As `Packets.next`.

        Raises:
            PcapError: It has not even a whole section header, or only looked like one.
        """
        while self.trouble is None:
            size = self._size()
            if size > 0:
                at = self._at
                self._at = at + size
                if self._block(self.data, at, size):
                    return True
            elif size < 0 or not self._more():
                break
        if not self._begun:
            raise PcapError(CUT_IN_HEADER if self.trouble is None else NO_CAPTURE)
        return False

    def _size(self) -> int:
        """Bytes of the block that is next; 0 while not all of it was read, -1 where it cannot be one."""
        data, at = self.data, self._at
        if at + _BEGINNINGS.get(data[at : at + 4], _SHORTEST) > len(data):
            return 0
        if data[at : at + 4] == _SECTION and not self._section(data[at + 8 : at + 14]):
            return -1
        size: int = struct.unpack_from(self._order + "I", data, at + 4)[0] + 3 & ~3
        if not _SHORTEST <= size <= _LONGEST:
            self.trouble = _DAMAGED
            return -1
        return size if at + size <= len(data) else 0

    def _more(self) -> bool:
        block = self._source.read(_BLOCK)
        self.data, self._at = self.data[self._at :] + block, 0
        if not block and self.data and self._begun:
            self.trouble = "The file ends in the middle of a block: that one is left out."
        return bool(block)

    def _section(self, beginning: bytes) -> bool:
        order = _ORDERS.get(beginning[:4])
        if order is None:
            self.trouble = _DAMAGED
            return False
        self._begun = True
        if struct.unpack_from(order + "H", beginning, 4) != (_VERSION,):
            self.trouble = "The file is pcapng of an unknown version: what follows is left out."
            return False
        self._order, self._interfaces = order, []
        return True

    def _block(self, data: bytes, at: int, size: int) -> bool:
        """Whether a block was a packet: it is the one now."""
        start, end = at + 8, at + size - 4
        (kind,) = struct.unpack_from(self._order + "I", data, at)
        if data[start - 4 : start] != data[end : end + 4]:  # its length stands at its end, too
            self.trouble = _DAMAGED
            return False
        if kind == _PACKET and start + 20 <= end:
            number, high, low, captured, length = struct.unpack_from(self._order + "IIIII", data, start)
            return self._packet(number, high << 32 | low, start + 20, end, captured, length)
        if kind == _OLD_PACKET and start + 20 <= end:
            number, _, high, low, captured, length = struct.unpack_from(self._order + "HHIIII", data, start)
            return self._packet(number, high << 32 | low, start + 20, end, captured, length)
        if kind == _SIMPLE_PACKET and start + 4 <= end:
            (length,) = struct.unpack_from(self._order + "I", data, start)
            snaplen = self._interfaces[0].snaplen if self._interfaces else 0
            captured = min(length, snaplen or length)
            return self._packet(0, None, start + 4, end, captured, length)
        if kind == _INTERFACE and start + 8 <= end:
            self._interface(data, start, end)
        elif kind == _NAMES:
            self._names(data, start, end)
        return False

    def _packet(
        self, number: int, ticks: int | None, start: int, end: int, captured: int, length: int
    ) -> bool:
        if number >= len(self._interfaces) or captured > LONGEST_PACKET or start + captured > end:
            self.trouble = "The file is damaged: what follows is not a packet."
            return False
        interface = self._interfaces[number]
        if ticks is not None:
            self.time = interface.time(ticks)
            self.timed = True
        else:
            self.untimed = True
            if not self.timed and not self._looked_ahead:
                self.time = self._first_time()
        self.link_type, self.start, self.captured, self.length = interface.link_type, start, captured, length
        return True

    def _first_time(self) -> i64:
        """Of the packets behind this one; 0 where none has a time, or none soon."""
        self._looked_ahead = True
        while len(self.data) - self._at < _AHEAD and (block := self._source.read(_BLOCK)):
            self.data += block
        ahead = PcapngFile(io.BytesIO(self.data[self._at :]), self._order, self._interfaces)
        while ahead.next():
            if ahead.timed:
                return ahead.time
        return 0

    def _interface(self, data: bytes, start: int, end: int) -> None:
        link_type, _, snaplen = struct.unpack_from(self._order + "HHI", data, start)
        units, offset = 10**_MICROSECONDS, 0
        for option, value in self._options(data, start + 8, end):
            if option == _RESOLUTION and value:
                power = value[0] & 0x7F
                units = 2 ** min(power, 63) if value[0] & 0x80 else 10 ** min(power, 19)
            elif option == _OFFSET and len(value) == 8:  # noqa: PLR2004, 64 bits
                offset = struct.unpack(self._order + "q", value)[0] * _SECOND
        if len(self._interfaces) >= _MOST_INTERFACES:
            self.trouble = "The file has more interfaces than can be followed."
            return
        self._interfaces.append(_Interface(link_type, snaplen, units, offset))

    def _options(self, data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= end:
            option, size = struct.unpack_from(self._order + "HH", data, at)
            if option == _END_OF_OPTIONS or at + 4 + size > end:
                return
            yield option, data[at + 4 : at + 4 + size]
            at += 4 + (size + 3 & ~3)

    def _names(self, data: bytes, at: int, end: int) -> None:
        for kind, value in self._options(data, at, end):
            width = {1: 4, 2: 16}.get(kind)
            if width is None or len(value) <= width or len(self.names) >= _MOST_NAMES:
                continue
            name = value[width:].split(b"\0", 1)[0]
            if _HOST_NAME.fullmatch(name):  # anything else would be text of strangers
                self.names.setdefault(Endpoint.packed(value[:width], 0).address, name.decode("ascii"))
