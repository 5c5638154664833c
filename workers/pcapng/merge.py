"""From the pcap files of one or more taps to one pcapng file in one pass: an interface for each.

Packets are in the order of their times, and each keeps its bytes, its lengths and the time that its own
node's clock gave it: clocks are never corrected. Of one tap the packets stay in their order; of two at the
same time the tap with the lower number comes first. Memory is that of a block of each file, however long
the files are.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge as in_order
from typing import BinaryIO

from workers.pcapng.about import About
from workers.pcapng.blocks import (
    interface_description,
    interface_statistics,
    name_resolution,
    section_header,
)
from workers.summary.files.packets import PcapError
from workers.summary.files.pcapfile import PcapFile

_PACKET = 6
_OVERHEAD = 32
"""Bytes that an Enhanced Packet Block has beside its packet and the packet's padding."""

_USUAL = 1 << 14
"""Bytes of packets whose ends are remembered; longer ones are few."""

_GATHERED = 1 << 20
_NANOSECONDS = (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_LARGEST_LINK_TYPE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of each tap's file, by number.

    Attributes:
        packets: Written.
        early: Left out, because they came before the tap's packets began to count.
        troubles: Why there are no more, should the file have been damaged.
    """

    packets: tuple[int, ...]
    early: tuple[int, ...]
    troubles: tuple[str | None, ...]


def merge(sources: Sequence[BinaryIO], target: BinaryIO, about: About, taps: Sequence[About]) -> Merged:
    """Writes the packets of pcap files as one pcapng file.

    Args:
        sources: One for each tap, unbuffered, at their beginnings.
        target: The file.
        about: The whole file: its comment, application, hardware, system and hosts count.
        taps: Each one's interface, description, filter, system, counts and `began`, as many as sources.

    Raises:
        PcapError: A source is no pcap file, or of a link type that pcapng has no number for.
        OSError: Reading or writing failed.
    """
    given = [_Tap(number, *each) for number, each in enumerate(zip(sources, taps, strict=True))]
    gathered = [section_header(about), *(each.description() for each in given), name_resolution(about.hosts)]
    size = 0
    for _, _, head, packet, end in in_order(*(each.blocks() for each in given)):
        gathered += (head, packet, end)
        size += len(packet) + _OVERHEAD
        if size > _GATHERED:
            target.write(b"".join(gathered))
            gathered.clear()
            size = 0
    gathered += (each.statistics() for each in given)
    target.write(b"".join(gathered))
    target.flush()
    return Merged(
        tuple(each.packets for each in given),
        tuple(each.early for each in given),
        tuple(each.file.trouble for each in given),
    )


class _Tap:
    """One tap's file on its way, and what was counted."""

    def __init__(self, number: int, source: BinaryIO, about: About) -> None:
        self.number, self.about = number, about
        self.packets = self.early = self._time = 0
        try:
            self.file = PcapFile(source)
        except PcapError as error:
            raise PcapError(f"Of {about.description or f'interface {number}'}: {error}") from None
        if self.file.link_type > _LARGEST_LINK_TYPE:
            raise PcapError(f"Link type {self.file.link_type} has no place in pcapng.")
        self._unit = 1 if self.file.header[:4] in _NANOSECONDS else 1000

    def description(self) -> bytes:
        snaplen = struct.unpack_from(self.file.byte_order + "I", self.file.header, 16)[0]
        digits = 9 if self._unit == 1 else 6
        return interface_description(
            self.about, link_type=self.file.link_type, snaplen=snaplen, digits=digits
        )

    def statistics(self) -> bytes:
        return interface_statistics(self.about, time=self._time, number=self.number, unit=self._unit)

    def blocks(self) -> Iterator[tuple[int, int, bytes, bytes, bytes]]:
        """When each packet has its turn, the tap's number, and its block: what is before it, it, its end."""
        began, number, unit = self.about.began or 0, self.number, self._unit
        packets, time, turn = 0, 0, 0
        pack = struct.Struct("<IIIIIII").pack
        # A packet's end is its padding and its block's length, which only depend on its length.
        ends: dict[int, bytes] = {}
        for data, start, captured, length, nanosecond in self.file.packets():
            if nanosecond < began:
                self.early += 1
                continue
            time = nanosecond // unit
            if nanosecond > turn:  # noqa: PLR1730, a call for each packet would be a tenth of all time
                turn = nanosecond
            total = (captured + _OVERHEAD + 3) & ~3
            end = ends.get(captured)
            if end is None:
                end = bytes(-captured % 4) + total.to_bytes(4, "little")
                if captured < _USUAL:
                    ends[captured] = end
            packets += 1
            head = pack(_PACKET, total, number, time >> 32, time & 0xFFFFFFFF, captured, length)
            yield turn, number, head, data[start : start + captured], end
        self.packets, self._time = packets, time
