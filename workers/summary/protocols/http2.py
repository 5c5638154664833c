"""HTTP/2 and gRPC in cleartext: each stream's request, status, errors and time. Pure.

What is read of headers: method, path (as `redact` leaves it), authority, status, grpc-status, and whether the
content type is gRPC's. Bodies are passed over.
"""

import re
from collections import OrderedDict

from workers.summary.exchange import HttpExchange
from workers.summary.protocols import http2_frames as frames
from workers.summary.protocols import http2_names, redact
from workers.summary.protocols.http2_frames import PREFACE, Frame
from workers.summary.protocols.http2_headers import UNKNOWN, Headers
from workers.summary.protocols.inbox import Inbox, Place
from workers.summary.protocols.reader import MOST_WAITING, Connection, Known, Segment

_METHOD = re.compile(r"[A-Z-]{1,20}")
_GRPC_PATH = re.compile(r"/[A-Za-z_][\w.]{0,149}/[A-Za-z_]\w{0,99}", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_LONGEST_WORD, _WORD_LEAST = 20, 3
_GOAWAY_READ = 8  # the last stream, and the error


class _Side:
    def __init__(self) -> None:
        self.inbox = Inbox()
        self.headers = Headers()
        self.open: Frame | None = None  # whose headers go on in CONTINUATION
        self.block: bytearray | None = None  # None when a part of it was not read

    def lose(self) -> None:
        """Some of what the side sent was not read."""
        self.headers.forget()
        self.open = self.block = None


class Http2:
    """Reads one connection, from its begin or from the middle."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client, self._server = _Side(), _Side()
        self._streams: OrderedDict[int, HttpExchange] = OrderedDict()
        self._told: list[HttpExchange] = []
        self._last = 0  # the newest stream, whose ids grow
        self._preface = True
        self._missed = False  # bytes of the server
        self._turned = False  # the client turned out to be the server
        self._leaving = ""  # the error of its GOAWAY
        self.done, self.eager = False, True

    def read(self, segment: Segment) -> list[HttpExchange]:
        """The requests whose streams end with this segment."""
        from_client = segment.from_client != self._turned
        side = self._client if from_client else self._server
        if segment.gap:
            side.inbox.stray()
            side.lose()
            self._preface = self._preface and not from_client
            self._missed = self._missed or not from_client
        if side.inbox.astray and frames.look_like_frames(segment.payload):
            side.inbox.found()
        if not side.inbox.astray:
            side.inbox.add(segment.payload)
            self._read(side, Place(segment.frame, segment.time), from_client=from_client)
        self._missed = self._missed or (segment.cut and not from_client)
        return self._take()

    def end(self) -> list[HttpExchange]:
        """The requests whose streams never ended."""
        for stream in list(self._streams):
            self._close(stream)
        return self._take()

    def _take(self) -> list[HttpExchange]:
        told, self._told = self._told, []
        return told

    def _read(self, side: _Side, at: Place, *, from_client: bool) -> None:
        if from_client and self._preface:
            preface = side.inbox.look(len(PREFACE))
            if preface is None:
                return
            self.done = preface != PREFACE
            self._preface = False
            side.inbox.skip(len(PREFACE))
        while (frame := frames.next_frame(side.inbox)) is not None:
            self._frame(frame, side, at, from_client=from_client)

    def _frame(self, frame: Frame, side: _Side, at: Place, *, from_client: bool) -> None:
        if frame.kind in (frames.HEADERS, frames.PUSH, frames.CONTINUATION):
            self._headers(frame, side, at, from_client=from_client)
        elif frame.kind == frames.DATA and frame.flags & frames.END_STREAM and not from_client:
            self._close(frame.stream)
        elif frame.kind == frames.RESET and frame.stream in self._streams:
            self._close(frame.stream, _error(frame.payload, 0))
        elif frame.kind == frames.GOAWAY and len(frame.payload or b"") == _GOAWAY_READ:
            self._goes_away(frame.payload or b"", at, from_client=from_client)

    def _goes_away(self, payload: bytes, at: Place, *, from_client: bool) -> None:
        """Streams behind the last that the server takes are lost; an error is said of any that it breaks."""
        error = _error(payload, 4)
        if not from_client:
            last = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
            for stream in [each for each in self._streams if each > last]:
                self._close(stream, f"GOAWAY {error}")
        if error == http2_names.error(0):
            return
        self._leaving = f"GOAWAY {error}"
        if not self._streams:
            client, server = self._connection.client, self._connection.server
            exchange = HttpExchange(client, server, at.frame, at.time, "GOAWAY", "", "", None, None, "2")
            self._told.append(exchange._replace(error=self._leaving))

    def _headers(self, frame: Frame, side: _Side, at: Place, *, from_client: bool) -> None:
        part = frames.block(frame)
        if frame.kind != frames.CONTINUATION:
            side.open, side.block = frame, bytearray()
        if side.open is None or side.open.stream != frame.stream:
            side.lose()
            return
        if part is None or side.block is None or len(side.block) + len(part) > frames.LONGEST_BLOCK:
            side.block = None
        else:
            side.block += part
        if not frame.flags & frames.END_HEADERS:
            return
        opened, whole = side.open, side.block
        side.open = side.block = None
        if whole is None:
            side.headers.forget()
        fields = {UNKNOWN: UNKNOWN} if whole is None else side.headers.decode(bytes(whole))
        if opened.kind == frames.HEADERS:
            if (b":status" if from_client else b":method") in fields:
                self._turn()
                from_client = not from_client
            if from_client:
                self._asked(opened.stream, fields, at)
            else:
                self._answered(opened, fields, at)

    def _turn(self) -> None:
        """Who joins in the middle may take the server for the client."""
        self._turned = not self._turned
        self._connection = Connection(self._connection.server, self._connection.client)
        self._client, self._server = self._server, self._client
        self._streams.clear()
        self._last, self._missed = 0, True

    def _asked(self, stream: int, fields: dict[bytes, bytes], at: Place) -> None:
        if stream <= self._last:  # trailers
            return
        self._last = stream
        grpc = fields.get(b"content-type", b"").startswith(b"application/grpc")
        method, path = _text(fields.get(b":method")), _text(fields.get(b":path"))
        host = redact.host(_text(fields.get(b":authority") or fields.get(b"host")))
        self._streams[stream] = HttpExchange(
            self._connection.client,
            self._connection.server,
            at.frame,
            at.time,
            method if _METHOD.fullmatch(method) else redact.HIDDEN,
            host or (redact.HIDDEN if UNKNOWN in fields else ""),
            _path(path, grpc=grpc) if path else redact.HIDDEN,
            None,
            None,
            "2",
        )
        if len(self._streams) > MOST_WAITING:
            oldest, asked = next(iter(self._streams.items()))
            self._streams[oldest] = asked._replace(unread=True)
            self._close(oldest)

    def _answered(self, frame: Frame, fields: dict[bytes, bytes], at: Place) -> None:
        asked = self._streams.get(frame.stream)
        if asked is None:
            return
        said = fields.get(b":status", b"")
        status = int(said) if len(said) == 3 and said.isdigit() else None  # noqa: PLR2004, a status has 3 digits
        if status is not None and status < 200:  # noqa: PLR2004, more answers follow
            return
        grpc_status = http2_names.grpc_status(fields.get(b"grpc-status", b""))
        self._streams[frame.stream] = asked._replace(
            status=asked.status or status,
            grpc_status=asked.grpc_status if grpc_status is None else grpc_status,
            seconds=at.time - asked.start if asked.seconds is None else asked.seconds,
        )
        if frame.flags & frames.END_STREAM:
            self._close(frame.stream)

    def _close(self, stream: int, error: str | None = None) -> None:
        asked = self._streams.pop(stream, None)
        if asked is None:
            return
        if asked.seconds is None:
            error = error or self._leaving or None
        unread = asked.unread or (
            asked.status is None and not error and (self._missed or asked.seconds is not None)
        )
        self._told.append(asked._replace(error=error, unread=unread))


def _error(payload: bytes | None, at: int) -> str:
    return http2_names.error(int.from_bytes((payload or b"")[at : at + 4], "big"))


def _open(connection: Connection, segment: Segment) -> Http2 | None:
    data = segment.payload
    if segment.from_client and not segment.gap:
        return Http2(connection) if data[: len(PREFACE)] == PREFACE[: len(data)] else None
    return Http2(connection) if segment.gap and frames.look_like_frames(data) else None


def _text(value: bytes | None) -> str:
    """Printable characters only."""
    text = (value or b"").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _path(path: str, *, grpc: bool) -> str:
    """A path without secrets; a method of gRPC whole, where it is made of words, as names in code are."""
    if grpc and _GRPC_PATH.fullmatch(path) and all(_is_name(part) for part in re.split(r"[/._]", path)):
        return path
    return redact.path(path)


def _is_name(part: str) -> bool:
    words = _WORD.findall(part)
    return not words or (
        len(part) >= _WORD_LEAST * len(words) and all(len(word) <= _LONGEST_WORD for word in words)
    )


# In the middle, by frames whose length is fixed, and by headers of usual length.
_STARTS = [b"PRI ", b"\0\0\x08\6", b"\0\0\4\x08", b"\0\0\4\3", b"\0\0\0\4"]
_STARTS += [bytes((0, 0, size, frames.HEADERS)) for size in range(1, 256)]
KNOWN: Known = Known("HTTP/2", frozenset(_STARTS), frozenset(), _open)
