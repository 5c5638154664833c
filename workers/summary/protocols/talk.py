"""Payload of a TCP connection on its way to a reader: each byte once, gaps told. Pure."""

from collections.abc import Iterable

from workers.summary.exchange import Exchange
from workers.summary.protocols.http1 import Http1
from workers.summary.protocols.reader import Reader, Segment

_HALF = 1 << 31
_MASK = (1 << 32) - 1


class Talk:
    """One connection and its reader.

    Attributes:
        client: The place of the client's sequence number: the `way` of its direction.
    """

    __slots__ = ("_expected", "_message", "client", "reader")

    def __init__(self, reader: Reader, client: int) -> None:
        self.reader = reader
        self._message = reader.message if isinstance(reader, Http1) else None
        self.client = client
        self._expected: list[int | None] = [None, None, None]

    def read(
        self, way: int, base: int | None, sequence: int, payload: bytes, size: int, time: float, frame: int
    ) -> Iterable[Exchange]:
        """The exchanges that a segment completes.

        Args:
            way: Of the direction that sent it.
            base: The sequence number before the direction's first byte, if known.
            sequence: Of the payload's first byte.
            payload: As captured.
            size: Of the payload on the wire, in bytes.
            time: Seconds since the first packet of the file.
            frame: Wireshark's number of the packet.
        """
        expected = self._expected[way]
        gap = False
        if expected is None:
            gap = base is None or sequence != (base + 1) & _MASK
        elif sequence != expected:
            ahead = (sequence - expected) & _MASK
            gap = 0 < ahead < _HALF
            if ahead >= _HALF:  # the beginning of it, or all, was there before
                known = (expected - sequence) & _MASK
                if known >= size:
                    return ()
                sequence, payload, size = expected, payload[known:], size - known
        self._expected[way] = (sequence + len(payload)) & _MASK
        if not payload:
            return ()
        if self._message is not None and len(payload) == size:
            given = self._message(payload, time, frame, from_client=way == self.client)
            if given is not None:
                return given
        return self.reader.read(Segment(way == self.client, payload, time, frame, gap, len(payload) < size))
