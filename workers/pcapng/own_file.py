"""Reading pcapng as podcap itself writes it, interface by interface: one streaming pass.

Other programs' pcapng is read by `workers.summary.files.pcapngfile`; here it is refused.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from workers.summary.files.packets import LONGEST_PACKET, Source

_BLOCK = 1 << 17
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_RESOLUTION, _FILTER = 9, 11
_SHORTEST, _LONGEST = 12, 16 << 20
_END_OF_TIME = 10**9 << 32  # pcap's seconds have 32 bits
_HEAD = 28
"""Bytes of a packet's block before the packet."""


class OwnFileError(Exception):
    """It is no pcapng file that podcap has written to its end; the message is one sentence."""

    def __init__(self) -> None:
        super().__init__("The file is not pcapng as podcap writes it.")


class Interface(NamedTuple):
    """One of a file's interfaces.

    Attributes:
        unit: How many nanoseconds one unit of its times has: 1 or 1000.
        filter: As it was compiled, "" for none.
    """

    link_type: int
    snaplen: int
    unit: int
    filter: str


Packet = tuple[int, bytes, int, int, int, int]
"""The interface's number, then as in `pcapfile`: buffer, start, captured bytes, length, nanoseconds."""


class OwnFile:
    """A pcapng file of podcap's from its first byte on.

    Attributes:
        interfaces: Those described so far: all, when the first packet comes.
    """

    def __init__(self, source: Source) -> None:
        """Reads nothing yet."""
        self._source = source
        self.interfaces: list[Interface] = []

    def packets(self) -> Iterator[Packet]:
        """Every packet in the order of the file; can be gone through once.

        Raises:
            OwnFileError: The file is none of podcap's, or ends in the middle.
            OSError: Reading failed.
        """
        read_head = struct.Struct("<IIIIIII").unpack_from
        data, at, begun, interfaces = b"", 0, False, self.interfaces
        while block := self._source.read(_BLOCK):
            data = data[at:] + block
            at, end = 0, len(data)
            while at + _SHORTEST <= end:
                kind = int.from_bytes(data[at : at + 4], "little")
                size = int.from_bytes(data[at + 4 : at + 8], "little")
                if not _SHORTEST <= size <= _LONGEST or size % 4 or (kind == _SECTION) == begun:
                    raise OwnFileError
                if at + size > end:
                    break
                if data[at + 4 : at + 8] != data[at + size - 4 : at + size]:
                    raise OwnFileError
                if kind == _PACKET and size >= _HEAD + 4:
                    _, _, number, high, low, captured, length = read_head(data, at)
                    if (
                        number >= len(interfaces)
                        or captured > min(LONGEST_PACKET, size - _HEAD - 4)
                        or (time := (high << 32 | low) * interfaces[number].unit) >= _END_OF_TIME
                    ):
                        raise OwnFileError
                    yield number, data, at + _HEAD, captured, length, time
                elif kind == _INTERFACE:
                    interfaces.append(_interface(data[at + 8 : at + size - 4]))
                begun = True
                at += size
        if at < len(data) or not interfaces:
            raise OwnFileError


def _interface(body: bytes) -> Interface:
    if len(body) < 8:  # noqa: PLR2004, link type, nothing, snaplen
        raise OwnFileError
    link_type, _, snaplen = struct.unpack_from("<HHI", body)
    digits, filter_, at = 6, "", 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == _RESOLUTION and length == 1 and at + 5 <= len(body):
            digits = body[at + 4]
        elif code == _FILTER:
            filter_ = body[at + 5 : at + 4 + length].decode(errors="replace")
        at += 4 + length + -length % 4
    if digits not in (6, 9):
        raise OwnFileError
    return Interface(link_type, snaplen, 10 ** (9 - digits), filter_)
