"""A capture file of selected packets, as pcapng: they may be of several link types. Pure."""

import struct
from collections.abc import Sequence

from workers.dissection.selection import Selected
from workers.pcapng.about import About
from workers.pcapng.blocks import interface_description, section_header

_ABOUT = About("", "podcap")
_PACKET, _OVERHEAD = 6, 32
_NANOSECONDS = 9


def file_of(packets: Sequence[Selected]) -> bytes:
    """The file, with an interface for each link type."""
    interfaces = {each: number for number, each in enumerate(dict.fromkeys(one.link_type for one in packets))}
    blocks = [section_header(_ABOUT)]
    blocks += [
        interface_description(_ABOUT, link_type=each & 0xFFFF, snaplen=0, digits=_NANOSECONDS)
        for each in interfaces
    ]
    for packet in packets:
        captured, time = len(packet.data), max(0, packet.time) & 0xFFFFFFFFFFFFFFFF
        total = (captured + _OVERHEAD + 3) & ~3
        ends = time >> 32, time & 0xFFFFFFFF
        head = (_PACKET, total, interfaces[packet.link_type], *ends, captured, packet.length)
        blocks.append(
            struct.pack("<7I", *head) + packet.data + bytes(-captured % 4) + struct.pack("<I", total)
        )
    return b"".join(blocks)
