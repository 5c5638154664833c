"""Reading a pcap file: one streaming pass, as far as the file goes.

The format is draft-ietf-opsawg-pcap: a header of 24 bytes, then records of a 16-byte header and the captured
bytes, in the byte order of the machine that wrote them, with times in micro- or nanoseconds.
"""

import struct
from typing import Final

from mypy_extensions import i64

from workers.summary.files.packets import CUT_IN_HEADER, EMPTY, LONGEST_PACKET, Packets, PcapError, Source
from workers.summary.layers.layers import u32

# A megabyte would be given back to the kernel and asked for again each time: a third of the time of reading.
_BLOCK = 1 << 17
_FILE_HEADER = 24
_RECORD_HEADER: Final = 16
_SECOND: Final[i64] = 1_000_000_000
MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", False),
    b"\xa1\xb2\xc3\xd4": (">", False),
    b"\x4d\x3c\xb2\xa1": ("<", True),
    b"\xa1\xb2\x3c\x4d": (">", True),
}
"""What the file begins with: its byte order, and whether its times are in nanoseconds."""

_PCAPNG = b"\x0a\x0d\x0d\x0a"


class PcapFile(Packets):
    """A pcap file from its first byte on.

    Attributes:
        header: The file's header of 24 bytes as it stands.
        byte_order: `<` or `>`, as struct writes it.
    """

    def __init__(self, source: Source) -> None:
        """Reads the file's header.

        Raises:
            PcapError: It is empty, or of another format.
        """
        self.header = _read_whole(source, _FILE_HEADER)
        magic = self.header[:4]
        if not magic:
            raise PcapError(EMPTY)
        if magic == _PCAPNG:
            raise PcapError("The file is pcapng: convert it with `editcap -F pcap FILE OUT`.")
        if magic not in MAGICS:
            raise PcapError("The file is not a pcap file: capture again.")
        if len(self.header) < _FILE_HEADER:
            raise PcapError(CUT_IN_HEADER)
        self.byte_order, nanoseconds = MAGICS[magic]
        # The upper six bits say whether frames end in a checksum of the link layer.
        link_type = struct.unpack_from(self.byte_order + "I", self.header, 20)[0] & 0x03FFFFFF
        super().__init__(source, link_type)
        self._tick: i64 = 1 if nanoseconds else 1000
        self._little = self.byte_order == "<"
        self._at: i64 = 0

    def next(self) -> bool:
        """As `Packets.next`."""
        data, at = self.data, self._at
        while True:
            start = at + _RECORD_HEADER
            if start <= len(data):
                captured = self._u32(data, at + 8)
                if captured > LONGEST_PACKET:
                    self.trouble = "The file is damaged: what follows is not a packet."
                    return False
                if start + captured <= len(data):
                    break
            block = self._source.read(_BLOCK)
            data, at = data[at:] + block, 0
            self.data, self._at = data, 0
            if not block:
                if data:
                    self.trouble = "The file ends in the middle of a packet: that one is left out."
                return False
        self.start, self.captured, self.length = start, captured, self._u32(data, at + 12)
        self.time = self._u32(data, at) * _SECOND + self._u32(data, at + 4) * self._tick
        self._at = start + captured
        return True

    def _u32(self, data: bytes, at: i64) -> i64:
        if self._little:
            return data[at + 3] << 24 | data[at + 2] << 16 | data[at + 1] << 8 | data[at]
        return u32(data, at)


def _read_whole(source: Source, size: int) -> bytes:
    """Reads until `size` bytes are there or the source ends: a pipe gives what it has."""
    data = b""
    while len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data
