"""From pcapng as podcap makes it back to pcap: for a worker that finds only the stored file left.

The packets pass as they are; nothing in them is looked at. Other programs' pcapng is not read here.
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

from workers.pcapng.own_file import Interface, OwnFile, OwnFileError

_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
_GATHERED = 1 << 20

ReadBackError = OwnFileError


def read_back(source: BinaryIO, target: BinaryIO) -> int:
    """Writes the packets of a capture of one tap as pcap, with the same times, lengths and bytes.

    Returns:
        How many packets.

    Raises:
        ReadBackError: The source is none.
        OSError: Reading or writing failed.
    """
    return read_back_each(source, (target,))[0]


def read_back_each(source: BinaryIO, targets: Sequence[BinaryIO]) -> list[int]:
    """Writes the packets of each interface as a pcap file of its own, in one pass.

    Args:
        source: A file that `write` or `merge` made.
        targets: One for each of its interfaces, by number.

    Returns:
        How many packets each got.

    Raises:
        ReadBackError: The source is none, or has another number of interfaces.
        OSError: Reading or writing failed.
    """
    file = OwnFile(source)
    gathered: list[list[bytes]] = [[] for _ in targets]
    packets, size = [0] * len(targets), 0
    head = struct.Struct("<IIII").pack
    for number, data, start, captured, length, time in file.packets():
        if number >= len(targets):
            raise ReadBackError
        seconds, rest = divmod(time, 1_000_000_000)
        gathered[number] += (
            head(seconds, rest // file.interfaces[number].unit, captured, length),
            data[start : start + captured],
        )
        if not packets[number]:
            gathered[number].insert(0, _header(file.interfaces[number]))
        packets[number] += 1
        size += captured
        if size > _GATHERED:
            for pieces, target in zip(gathered, targets, strict=True):
                target.write(b"".join(pieces))
                pieces.clear()
            size = 0
    if len(file.interfaces) != len(targets):
        raise ReadBackError
    for number, (pieces, target) in enumerate(zip(gathered, targets, strict=True)):
        if not packets[number]:
            pieces.append(_header(file.interfaces[number]))
        target.write(b"".join(pieces))
        target.flush()
    return packets


def _header(interface: Interface) -> bytes:
    magic = _NANOSECONDS if interface.unit == 1 else _MICROSECONDS
    return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, interface.snaplen, interface.link_type)
