"""From pcap to pcapng in one pass: every packet as it is, and around them what the file says of itself."""

import struct
from dataclasses import dataclass
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

_GATHERED = 1 << 20
_NANOSECONDS = (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_LARGEST_LINK_TYPE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Written:
    """How many packets were written, and why there are no more, should the source have been damaged."""

    packets: int
    trouble: str | None


def write(source: BinaryIO, target: BinaryIO, about: About) -> Written:
    """Writes the packets of a pcap file as pcapng, with the same times, lengths and bytes.

    Raises:
        PcapError: The source is no pcap file, or of a link type that pcapng has no number for.
        OSError: Reading or writing failed.
    """
    file = PcapFile(source)
    if file.link_type > _LARGEST_LINK_TYPE:
        raise PcapError(f"Link type {file.link_type} has no place in pcapng.")
    nanoseconds = file.header[:4] in _NANOSECONDS
    unit = 1 if nanoseconds else 1000
    snaplen = struct.unpack_from(file.byte_order + "I", file.header, 16)[0]
    gathered = [
        section_header(about),
        interface_description(
            about, link_type=file.link_type, snaplen=snaplen, digits=9 if nanoseconds else 6
        ),
        name_resolution(about.hosts),
    ]
    head = struct.Struct("<IIIIIII").pack
    # A packet's end is its padding and its block's length, which only depend on its length.
    ends: dict[int, bytes] = {}
    packets, size, time = 0, 0, 0
    for data, start, captured, length, nanosecond in file.packets():
        time = nanosecond // unit
        total = (captured + _OVERHEAD + 3) & ~3
        end = ends.get(captured)
        if end is None:
            end = bytes(-captured % 4) + total.to_bytes(4, "little")
            if captured < _USUAL:
                ends[captured] = end
        gathered += (
            head(_PACKET, total, 0, time >> 32, time & 0xFFFFFFFF, captured, length),
            data[start : start + captured],
            end,
        )
        packets += 1
        size += total
        if size > _GATHERED:
            target.write(b"".join(gathered))
            gathered.clear()
            size = 0
    gathered.append(interface_statistics(about, time=time))
    target.write(b"".join(gathered))
    target.flush()
    return Written(packets, file.trouble)


_USUAL = 1 << 14
"""Bytes of packets whose ends are remembered; longer ones are few."""
