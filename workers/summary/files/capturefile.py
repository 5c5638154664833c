"""Reading a capture file of whatever format: pcap, pcapng, either of them gzipped."""

import zlib

from workers.summary.files.packets import EMPTY, NO_CAPTURE, Packets, PcapError, Source
from workers.summary.files.pcapfile import MAGICS, PcapFile
from workers.summary.files.pcapngfile import PcapngFile

_PCAPNG = b"\x0a\x0d\x0d\x0a"
_GZIP = b"\x1f\x8b"
_GZIP_FORMAT = 31  # zlib's own header and gzip's
_MAGIC = 4
_CHUNK = 1 << 18


def open_capture(source: Source) -> Packets:
    """The file before its first packet.

    Raises:
        PcapError: It is empty, or of another format.
    """
    content = source if isinstance(source, Content) else Content(source)
    beginning = _Begun(content)
    magic = beginning.peek(_MAGIC)
    if magic == _PCAPNG:
        return PcapngFile(beginning)
    if magic in MAGICS:
        return PcapFile(beginning)
    raise PcapError(NO_CAPTURE if magic else EMPTY)


class Content:
    """What a file holds, unzipped where it is gzipped.

    Attributes:
        size: How many bytes of it have been read.
    """

    def __init__(self, source: Source) -> None:
        beginning = _Begun(source)
        self._unzipped = _Unzipped(beginning) if beginning.peek(2) == _GZIP else None
        self._source: Source = self._unzipped or beginning
        self.size = 0

    @property
    def damaged(self) -> bool:
        """Whether it ended because its gzip is damaged, or was cut short."""
        return self._unzipped is not None and self._unzipped.damaged

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at its end."""
        given = self._source.read(size)
        self.size += len(given)
        return given


class _Begun:
    """A source whose first bytes can be looked at before they are read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._source.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int, /) -> bytes:
        if self._ahead:
            given, self._ahead = self._ahead[:size], self._ahead[size:]
            return given
        return self._source.read(size)


class _Unzipped:
    """What a gzip file holds; a damaged one ends where the damage begins.

    Attributes:
        damaged: Whether it has ended so.
    """

    def __init__(self, source: Source) -> None:
        self.damaged = False
        self._source = source
        self._within = True  # a member; what follows the last one may be anything
        self._member = zlib.decompressobj(_GZIP_FORMAT)
        self._ahead = b""

    def read(self, size: int, /) -> bytes:
        while True:
            packed = self._member.unconsumed_tail or self._ahead or self._source.read(_CHUNK)
            self._ahead = b""
            try:
                given = self._member.decompress(packed, size)
            except zlib.error:
                self.damaged = self._within
                return b""
            if self._member.eof:  # another member may follow (RFC 1952)
                self._ahead = self._member.unused_data
                self._member = zlib.decompressobj(_GZIP_FORMAT)
                self._within = False
            elif packed:
                self._within = True
            if given:
                return given
            if not packed:
                self.damaged = self._within
                return b""
