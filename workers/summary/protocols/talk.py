"""Payload of a TCP connection on its way to a reader: each byte once, gaps told. Pure."""

from collections.abc import Iterable
from typing import Final, final

from mypy_extensions import i64

from workers.summary.exchange import Exchange
from workers.summary.protocols.http1 import Http1
from workers.summary.protocols.reader import Reader, Segment

_HALF: Final[i64] = 1 << 31
_MASK: Final[i64] = (1 << 32) - 1


@final
class Talk:
    """One connection and its reader.

    Attributes:
        client: The place of the client's sequence number: the `way` of its direction.
    """

    __slots__ = ("_from_client", "_from_server", "_http", "client", "reader")

    def __init__(self, reader: Reader, client: i64) -> None:
        self.reader = reader
        self._http = reader if isinstance(reader, Http1) else None
        self.client: i64 = client
        # The sequence number that either side goes on with, -1 before its first payload.
        self._from_client: i64 = -1
        self._from_server: i64 = -1

    def read(
        self, way: i64, base: i64, sequence: i64, payload: bytes, size: i64, time: float, frame: i64
    ) -> Iterable[Exchange]:
        """The exchanges that a segment completes.

        Args:
            way: Of the direction that sent it.
            base: The sequence number before the direction's first byte, negative if unknown.
            sequence: Of the payload's first byte.
            payload: As captured.
            size: Of the payload on the wire, in bytes.
            time: Seconds since the first packet of the file.
            frame: Wireshark's number of the packet.
        """
        from_client = way == self.client
        expected = self._from_client if from_client else self._from_server
        gap = False
        if expected < 0:
            gap = base < 0 or sequence != (base + 1) & _MASK
        elif sequence != expected:
            ahead = (sequence - expected) & _MASK
            gap = ahead < _HALF
            if ahead >= _HALF:  # the beginning of it, or all, was there before
                known = (expected - sequence) & _MASK
                if known >= size:
                    return ()
                sequence, payload, size = expected, payload[known:], size - known
        expected = (sequence + len(payload)) & _MASK
        if from_client:
            self._from_client = expected
        else:
            self._from_server = expected
        if not payload:
            return ()
        if self._http is not None and len(payload) == size:
            given = self._http.message(payload, time, frame, from_client=from_client)
            if given is not None:
                return given
        return self.reader.read(Segment(from_client, payload, time, frame, gap, len(payload) < size))
