"""Which fragment completes an IP datagram, and how its payload begins. Pure.

Wireshark hands a fragmented datagram to TCP or UDP once, at the fragment that completes it, and knows no
timeout. Here the number of unfinished ones is bounded, and only the beginning is kept: headers are in it.
"""

from collections import OrderedDict
from typing import NamedTuple

MOST_UNFINISHED = 4096
_KEPT = 512


class Whole(NamedTuple):
    """A completed datagram's payload: its beginning (512 bytes at most) and its length in bytes."""

    beginning: bytes
    length: int


class _Unfinished:
    __slots__ = ("beginnings", "length", "pieces")

    def __init__(self) -> None:
        self.pieces: list[tuple[int, int]] = []
        self.beginnings: dict[int, bytes] = {}
        self.length: int | None = None

    def add(self, offset: int, payload: bytes, size: int, *, more: bool) -> Whole | None:
        self.pieces.append((offset, offset + size))
        if offset < _KEPT:
            self.beginnings.setdefault(offset, payload[: _KEPT - offset])
        if not more and self.length is None:
            self.length = offset + size
        if self.length is None or self._reaches() < self.length:
            return None
        return Whole(self._beginning()[: self.length], self.length)

    def _beginning(self) -> bytes:
        """Where pieces overlap the one further ahead counts, of two at one place the one that came first."""
        laid = b""
        for offset, payload in sorted(self.beginnings.items()):
            laid += payload[len(laid) - offset :] if offset <= len(laid) else b""
        return laid

    def _reaches(self) -> int:
        """Up to where there is no gap; the pieces become one there, so that many pieces stay cheap."""
        reached = 0
        apart = []
        for begin, end in sorted(self.pieces):
            if begin <= reached:
                reached = max(reached, end)
            else:
                apart.append((begin, end))
        self.pieces = [(0, reached), *apart]
        return reached


class Reassembly:
    """The datagrams of which fragments are missing still, the longest untouched dropped first."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[object, _Unfinished] = OrderedDict()

    def add(self, key: object, offset: int, payload: bytes, size: int, *, more: bool) -> Whole | None:
        """Adds a fragment; gives the datagram it completes.

        Args:
            key: What the fragments of one datagram have in common.
            offset: Of the payload in the datagram, in bytes.
            payload: At least its first 512 bytes.
            size: The payload's length in bytes.
            more: Whether it says that more fragments follow.
        """
        unfinished = self._unfinished.setdefault(key, _Unfinished())
        self._unfinished.move_to_end(key)
        whole = unfinished.add(offset, payload, size, more=more)
        if whole is not None:
            del self._unfinished[key]
        elif len(self._unfinished) > MOST_UNFINISHED:
            self._unfinished.popitem(last=False)
        return whole
