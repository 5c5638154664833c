"""Counts the whole packets of a pcap file while it arrives in pieces. Pure."""

import struct

_FILE_HEADER, _PACKET_HEADER = 24, 16
_LITTLE_ENDIAN = frozenset({b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"})
_BIG_ENDIAN = frozenset({b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"})


class PacketCounter:
    """How many whole packets have arrived.

    Attributes:
        packets: Whole packets, or None for what is no pcap file.
        whole: How many bytes the file header and these packets take; what follows is a part of the next.
    """

    def __init__(self) -> None:
        self.packets: int | None = 0
        self.whole = 0
        self._fed = 0
        self._length: struct.Struct | None = None
        self._head = bytearray()  # a header of which only a part has arrived
        self._skip = 0  # bytes of the current packet that are still to come

    def feed(self, piece: bytes | memoryview) -> None:
        """Takes the next piece of the file."""
        at, end = 0, len(piece)
        while at < end and self.packets is not None:
            if self._skip:
                step = min(self._skip, end - at)
                self._skip -= step
                at += step
                if not self._skip:
                    self._count(at)
                continue
            size = _PACKET_HEADER if self._length else _FILE_HEADER
            part = piece[at : at + size - len(self._head)]
            self._head += part
            at += len(part)
            if len(self._head) == size:
                self._take_header(at)
        self._fed += end

    def _take_header(self, at: int) -> None:
        if self._length is None:
            magic = bytes(self._head[:4])
            if magic not in _LITTLE_ENDIAN | _BIG_ENDIAN:
                self.packets = None
            else:
                self.whole = self._fed + at
            self._length = struct.Struct("<I" if magic in _LITTLE_ENDIAN else ">I")
        else:
            (self._skip,) = self._length.unpack_from(self._head, 8)
            if not self._skip:
                self._count(at)  # a packet of which nothing was kept
        self._head.clear()

    def _count(self, at: int) -> None:
        if self.packets is not None:
            self.packets += 1
            self.whole = self._fed + at
