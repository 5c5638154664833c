"""From pcapng as `write` makes it back to pcap: for a worker that finds only the stored file left.

The packets pass as they are; nothing in them is looked at. Other programs' pcapng is not read here.
"""

import struct
from typing import BinaryIO

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_RESOLUTION = 9
_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
_DIGITS = 9
_GATHERED = 1 << 20


class ReadBackError(Exception):
    """It is no pcapng file that podcap has written to its end."""


def read_back(source: BinaryIO, target: BinaryIO) -> int:
    """Writes the packets of a pcapng file of podcap's as pcap, with the same times, lengths and bytes.

    Returns:
        How many packets.

    Raises:
        ReadBackError: The source is none.
        OSError: Reading or writing failed.
    """
    packets, size, units = 0, 0, 0
    gathered: list[bytes] = []
    while kind := source.read(8):
        number, length = _unpack("<II", kind)
        body = source.read(length - 8)
        if len(body) != length - 8 or (number == _SECTION) != (not units and not packets and not gathered):
            raise ReadBackError("The file is not pcapng as podcap writes it.")
        if number == _SECTION:
            units = -1
        elif number == _INTERFACE:
            link_type, _, snaplen = _unpack("<HHI", body[:8])
            units = 10 ** _digits(body[8:-4])
            magic = _NANOSECONDS if units == 10**_DIGITS else _MICROSECONDS
            gathered.append(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type))
        elif number == _PACKET:
            _, high, low, captured, original = _unpack("<IIIII", body[:20])
            time = high << 32 | low
            head = struct.pack("<IIII", time // units, time % units, captured, original)
            gathered += (head, body[20 : 20 + captured])
            packets += 1
            size += captured
            if size > _GATHERED:
                target.write(b"".join(gathered))
                gathered.clear()
                size = 0
    if units <= 0:
        raise ReadBackError("The file is not pcapng as podcap writes it.")
    target.write(b"".join(gathered))
    target.flush()
    return packets


def _digits(options: bytes) -> int:
    """Of a second's fraction: the interface's option if_tsresol."""
    at = 0
    while at + 4 <= len(options):
        code, length = _unpack("<HH", options[at : at + 4])
        if code == _RESOLUTION:
            return options[at + 4]
        at += 4 + length + -length % 4
    return 6


def _unpack(form: str, data: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack(form, data)
    except struct.error:
        raise ReadBackError("The file is not pcapng as podcap writes it.") from None
