"""Headers only, exactly: every packet is cut behind its own layer-4 header, whatever its length.

One fixed snaplen would leave payload behind short headers. Padding behind a datagram goes as well. Where
headers end is said by `headers_end`; this is the pass over a file.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from workers.cut.headers_end import headers_end
from workers.summary.files.packets import Source
from workers.summary.files.pcapfile import PcapFile

LONGEST_USUAL = (
    (14 + 2 * 4)  # Ethernet with two VLAN tags
    + (40 + 24)  # IPv6 with a little of extension headers
    + 8
    + (8 + 32)  # UDP, Geneve with the options that clouds and CNIs send
    + 14
    + 40  # inner Ethernet and IPv6
    + 60  # TCP with all options it can have
)
"""Bytes of the longest headers to reckon with."""

SNAPLEN = 256
"""Bytes of a packet that leave its node, and the most that can stay of it, where only headers are wanted: the
next power of two. A million of such packets just about fill a spool."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut: packets, their captured bytes before and after, and why it ended early, if it did.

    `early` counts those that were left out because they came before the capture began.
    """

    packets: int
    bytes_in: int
    bytes_out: int
    trouble: str | None
    early: int = 0


def cut(source: BinaryIO, target: BinaryIO, *, since: int = 0, whole: bool = False) -> Cut:
    """Copies a pcap file with each packet cut behind its headers; the length on the wire stays.

    What was read is written before more is read, so that a source which grows slowly is cut as it grows.

    Args:
        source: The file.
        target: The copy.
        since: Nanoseconds since 1970; packets from before are left out.
        whole: Whether packets stay as they are.

    Raises:
        PcapError: The source is no pcap file.
        OSError: Reading or writing failed.
    """
    out = bytearray()
    file = PcapFile(_WrittenFirst(source, target, out))
    link_type = file.link_type
    record = struct.Struct(file.byte_order + "II").pack
    out += file.header
    packets = bytes_in = bytes_out = early = 0
    for data, start, captured, length, time in file.packets():
        if time < since:
            early += 1
            continue
        kept = captured if whole else headers_length(link_type, data, start, start + captured, start + length)
        out += data[start - 16 : start - 8]
        out += record(kept, length)
        out += data[start : start + kept]
        packets += 1
        bytes_in += captured
        bytes_out += kept
    target.write(out)
    target.flush()
    return Cut(packets, bytes_in, bytes_out, file.trouble, early)


class _WrittenFirst:
    """A source whose every read first writes out what has gathered."""

    def __init__(self, source: Source, target: BinaryIO, gathered: bytearray) -> None:
        self._source, self._target, self._gathered = source, target, gathered

    def read(self, size: int, /) -> bytes:
        """What the source has."""
        if self._gathered:
            self._target.write(self._gathered)
            self._target.flush()
            self._gathered.clear()
        return self._source.read(size)


def headers_length(link_type: int, data: bytes, start: int, end: int, wire_end: int) -> int:
    """How many bytes of the packet at `start` are kept; `end` is where its captured bytes end."""
    return headers_end(link_type, data, start, min(end, start + SNAPLEN), wire_end) - start
