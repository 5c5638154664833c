"""Reading a pcap file: one streaming pass, as far as the file goes.

The format is draft-ietf-opsawg-pcap: a header of 24 bytes, then records of a 16-byte header and the captured
bytes, in the byte order of the machine that wrote them, with times in micro- or nanoseconds.
"""

import struct
from collections.abc import Iterator
from typing import Protocol

# A megabyte would be given back to the kernel and asked for again each time: a third of the time of reading.
_BLOCK = 1 << 17
_FILE_HEADER = 24
_RECORD_HEADER = 16
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", False),
    b"\xa1\xb2\xc3\xd4": (">", False),
    b"\x4d\x3c\xb2\xa1": ("<", True),
    b"\xa1\xb2\x3c\x4d": (">", True),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"

LONGEST_PACKET = 262_144
"""Bytes; what claims more is no packet (libpcap's MAXIMUM_SNAPLEN; Wireshark stops there, too)."""

Packet = tuple[bytes, int, int, int, int]
"""Buffer, where the packet starts in it, captured bytes, bytes on the wire, nanoseconds since 1970."""


class PcapError(Exception):
    """The file cannot be read as pcap at all; the message is one sentence."""


class Source(Protocol):
    """What a file is read from; a pipe may give less than it is asked for, and nothing at its end only."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class PcapFile:
    """A pcap file from its first byte on.

    Attributes:
        header: The file's header of 24 bytes as it stands.
        byte_order: `<` or `>`, as struct writes it.
        link_type: The LINKTYPE_ value of the packets.
        names: None: a pcap file has no names of addresses.
        trouble: After `packets` ended: a sentence that says why it ended before the file did, else None.
    """

    def __init__(self, source: Source) -> None:
        """Reads the file's header.

        Raises:
            PcapError: It is empty, or of another format.
        """
        self._source = source
        self.header = _read_whole(source, _FILE_HEADER)
        magic = self.header[:4]
        if not magic:
            raise PcapError("The file is empty.")
        if magic == _PCAPNG:
            raise PcapError("The file is pcapng: save it as pcap.")
        if magic not in _MAGICS:
            raise PcapError("The file is not a pcap file.")
        if len(self.header) < _FILE_HEADER:
            raise PcapError("The file ends in the middle of its header.")
        self.byte_order, nanoseconds = _MAGICS[magic]
        self._tick = 1 if nanoseconds else 1000
        # The upper six bits say whether frames end in a checksum of the link layer.
        self.names: dict[str, str] = {}
        self.link_type = struct.unpack_from(self.byte_order + "I", self.header, 20)[0] & 0x03FFFFFF
        self.trouble: str | None = None

    def runs(self) -> Iterator[tuple[int, Iterator[Packet]]]:
        """Link type and packets: all of a pcap file have the same."""
        yield self.link_type, self.packets()

    def packets(self) -> Iterator[Packet]:
        """Every whole packet, in the order of the file; can be gone through once."""
        read_record = struct.Struct(self.byte_order + "IIII").unpack_from
        tick = self._tick
        data, at = b"", 0
        second = begun = -1
        while block := self._source.read(_BLOCK):
            data = data[at:] + block
            at = 0
            last = len(data) - _RECORD_HEADER
            while at <= last:
                seconds, fraction, captured, length = read_record(data, at)
                if captured > LONGEST_PACKET:
                    self.trouble = "The file is damaged: what follows is not a packet."
                    return
                start = at + _RECORD_HEADER
                end = start + captured
                if end > len(data):
                    break
                if seconds != second:
                    second, begun = seconds, seconds * 1_000_000_000
                yield data, start, captured, length, begun + fraction * tick
                at = end
        if at < len(data):
            self.trouble = "The file ends in the middle of a packet: that one is left out."


def _read_whole(source: Source, size: int) -> bytes:
    """Reads until `size` bytes are there or the source ends: a pipe gives what it has."""
    data = b""
    while len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data
