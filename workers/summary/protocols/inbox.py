"""Bytes of one direction that are not understood yet, in whatever pieces they come. Pure."""

from typing import NamedTuple


class Place(NamedTuple):
    """A packet: its number in the file, from 1, and its seconds since the file's first."""

    frame: int
    time: float


MOST_FAILURES = 4
"""Then it is another protocol."""


class Inbox:
    """Takes pieces, gives messages: what follows is looked at, taken or skipped.

    It holds no more than its reader waits for, and the piece that came last: what is skipped is never held.

    Attributes:
        failures: How often what came made no sense.
        astray: Bytes are missing or made no sense: where the next message begins is unknown.
    """

    __slots__ = ("_held", "_skip", "astray", "failures")

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip = 0
        self.astray = False
        self.failures = 0

    def __len__(self) -> int:
        """Bytes held."""
        return len(self._held)

    def add(self, data: bytes) -> None:
        """Appends a piece."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._held += data

    def look(self, size: int) -> bytes | None:
        """The next `size` bytes, which stay; None while there are fewer."""
        return bytes(self._held[:size]) if len(self._held) >= size else None

    def skip(self, size: int) -> None:
        """Passes over the next `size` bytes, also those that are yet to come."""
        passed = min(size, len(self._held))
        del self._held[:passed]
        self._skip += size - passed

    def line(self, most: int) -> bytes | None:
        r"""The next line without its end (`\r\n`, `\n`), cut to `most` bytes; None before its end."""
        end = self._held.find(b"\n")
        if end < 0:
            # A lone \r may be cut off with the rest: a line as long as that is cut anyway.
            del self._held[most:]
            return None
        found = bytes(self._held[: min(end, most)])
        del self._held[: end + 1]
        return found.removesuffix(b"\r")

    def stray(self) -> None:
        """Forgets everything: where the next message begins is unknown."""
        self._held.clear()
        self._skip = 0
        self.astray = True

    def fail(self) -> None:
        """What came made no sense."""
        self.stray()
        self.failures += 1

    def found(self) -> None:
        """A message begins with what is added next."""
        self.astray = False
