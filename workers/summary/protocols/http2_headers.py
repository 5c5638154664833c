"""Headers of HTTP/2 as one side sends them: compressed with a table that both ends keep (RFC 7541). Pure.

A reader that comes in the middle does not know the table. Its own is then full of entries that say nothing:
new entries push them towards the end, exactly as they push the unseen ones, so that every index means what it
means to the two ends, or says that it is unknown. It is kept larger than the ends', whose size is not known
either: what they have dropped from theirs they do not refer to.
"""

import logging
from collections.abc import Iterable

from hpack import Decoder
from hpack.exceptions import HPACKError

UNKNOWN = b""
"""A name or value that refers to headers that were not captured."""

_LARGEST_TABLE = 1 << 14  # four times what nearly all use; a larger one is not followed
_LONGEST_LIST = 1 << 18
_MOST_FAILURES = 16  # then this is no HTTP/2, or not to be followed
_ENTRY = 32  # an entry's size beyond its bytes (RFC 7541, 4.1)

_WANTED = frozenset(
    (b":method", b":path", b":authority", b":status", b"grpc-status", b"content-type", b"host")
)

# It logs every header, secrets too, for whoever turns its messages on.
logging.getLogger("hpack").setLevel(logging.WARNING)


class Headers:
    """Decodes the blocks of one side in their order, from the first on unless told to `forget`."""

    def __init__(self) -> None:
        self._decoder: Decoder | None = _decoder()
        self._failures = 0

    def decode(self, block: bytes) -> dict[bytes, bytes]:
        """Of the headers that are wanted, the first of each name.

        What cannot be known is not there; `UNKNOWN` is, if there is such.
        """
        if self._failures >= _MOST_FAILURES:
            return {UNKNOWN: UNKNOWN}
        self._decoder = self._decoder or _ignorant_decoder()
        try:
            fields: Iterable[tuple[bytes, bytes]] = self._decoder.decode(block, raw=True)
        except (HPACKError, ValueError, IndexError):
            self._failures += 1
            self.forget()
            return {UNKNOWN: UNKNOWN}
        found: dict[bytes, bytes] = {}
        for name, value in fields:
            if name == UNKNOWN or (value != UNKNOWN and bytes(name) in _WANTED):
                found.setdefault(bytes(name), bytes(value))
        return found

    def forget(self) -> None:
        """A block was missed: what entries stand where is unknown."""
        self._decoder = None


def _decoder() -> Decoder:
    decoder = Decoder(max_header_list_size=_LONGEST_LIST)
    # Sizes are agreed on by SETTINGS, and announced in the blocks: that is enough to follow them.
    decoder.max_allowed_table_size = _LARGEST_TABLE
    return decoder


def _ignorant_decoder() -> Decoder:
    """One whose table is full of entries that say nothing."""
    decoder = _decoder()
    decoder.header_table_size = _LARGEST_TABLE
    for _ in range(_LARGEST_TABLE // _ENTRY):
        decoder.header_table.add(UNKNOWN, UNKNOWN)
    return decoder
