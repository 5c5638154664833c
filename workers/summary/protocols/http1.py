"""HTTP/1 requests and their answers (RFC 9112). Pure.

A message is looked for where a segment begins, and behind another one in it. Bodies are passed over: a
segment that begins otherwise is not even shown to this reader, but for a header that goes on in it.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from workers.summary.exchange import HttpExchange
from workers.summary.protocols import redact
from workers.summary.protocols.reader import (
    MOST_KEPT,
    MOST_WAITING,
    Connection,
    Known,
    Segment,
    nanoseconds,
)

_METHODS = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT")
_STARTS = frozenset((*((method + b" ")[:4] for method in _METHODS), b"HTTP"))
_REQUEST = re.compile(
    rb"(GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|TRACE|CONNECT) "
    # The query is never shown: without it, the many of one path are one to the cache. What does not match
    # is not tried again a byte shorter. (Written out, white space is one table to look into, \s is not.)
    rb"(?=\S)([^ \t\n\r\f\v?]{0,4096}+)(\?)?+[^ \t\n\r\f\v]{0,65536}+ HTTP/1\.([01])\r?\n"
    # The host is nearly always next.
    rb"(?:(?=[Hh][Oo][Ss][Tt]:[ \t]*([^\r\n]{0,300}))|)"
)
_RESPONSE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r\n]")
_HOST = re.compile(rb"\n[Hh][Oo][Ss][Tt]:[ \t]*([^\r\n]{0,300})")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,15})", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")
_NEXT = re.compile(rb"\r\n\r\n(?=HTTP/1\.[01] [1-5]\d\d)")
_LONGEST_TARGET, _LONGEST_HOST = 4096, 300
"""As above. What follows was not read: an @ there makes a password of what stands before it."""

_INFORMATIONAL = 200
_SWITCHING = 101

_Line = tuple[str, str, str, str]
"""Method, host where it is in the target, path, version."""

_Asked = tuple[int, float, _Line, str]
"""Frame, time, first line, host."""


class Http1:
    """One connection."""

    __slots__ = ("_connection", "_kept", "_waiting", "done", "eager")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: deque[_Asked] = deque()
        # A header that has begun and not ended: its bytes, and the time and frame of its first, by side.
        self._kept: dict[bool, tuple[bytes, float, int]] = {}
        self.done = self.eager = False

    def message(
        self, payload: bytes, time: float, frame: int, *, from_client: bool
    ) -> Sequence[HttpExchange] | None:
        """What `read` would give for a whole segment, if it is nothing but one request or one answer.

        None if it may be more or less than that: then nothing was done. Nearly all are, so this is quick.
        """
        waiting = self._waiting
        if self._kept:
            return None
        if from_client:
            begun = _REQUEST.match(payload)
            if (
                begun is None
                or begun[5] is None
                or payload.find(b"\r\n\r\n", begun.end() - 2) != len(payload) - 4
                or len(waiting) >= MOST_WAITING
            ):
                return None
            method, target, query, version, host = begun.groups()
            line = _line(method, target, query, version)
            waiting.append((frame, time, line, _host(host) or line[1]))
            return ()
        status = _status(payload[:13])
        end = payload.find(b"\r\n\r\n", 12)
        if status < _INFORMATIONAL or end < 0 or payload.find(b"HTTP/1.", end) >= 0:
            return None
        return (self._answered(waiting.popleft(), status, time),) if waiting else ()

    def read(self, segment: Segment) -> Iterable[HttpExchange]:
        """The exchanges that are answered in this segment."""
        payload, time, frame = segment.payload, segment.time, segment.frame
        if self._kept:
            kept = self._kept.pop(segment.from_client, None)
            if kept is not None and not segment.gap and len(kept[0]) + len(payload) <= MOST_KEPT:
                payload, time, frame = kept[0] + payload, kept[1], kept[2]
            self.eager = bool(self._kept)
        if segment.from_client:
            return self._requests(payload, time, frame, cut=segment.cut)
        return self._responses(payload, time, frame, cut=segment.cut)

    def _requests(self, payload: bytes, time: float, frame: int, *, cut: bool) -> Iterable[HttpExchange]:
        given: list[HttpExchange] = []
        at = 0
        while at < len(payload) and payload[at : at + 4] in _STARTS:
            begun = _REQUEST.match(payload, at)
            ended = begun.end() if begun else at + 2
            head = payload.find(b"\r\n\r\n", ended - 2) + 2
            head, end = (head, head + 2) if head > 1 else _bare_head(payload, ended - 2)
            if end < 0 and not cut and len(payload) - at < MOST_KEPT:
                self._keep(payload[at:], time, frame, from_client=True)
                break
            if begun is None:
                break
            unknown = ""
            if end < 0:
                head = end = len(payload)
                unknown = redact.HIDDEN
            line = _line(*begun.groups()[:4])
            name = line[1] or unknown
            host = _HOST.search(payload, ended - 1, head)
            # What was cut off could be the end of the name, or the @ that makes of it a password.
            if host is not None and host.end() < len(payload):
                name = _host(host[1]) or name
            self._waiting.append((frame, time, line, name))
            if len(self._waiting) > MOST_WAITING:
                given.append(self._exchange(self._waiting.popleft(), None, None))
            if end < len(payload):
                length = _LENGTH.search(payload, ended - 1, head)
                end += int(length[1]) if length else 0
            at = end
        return given

    def _responses(self, payload: bytes, time: float, frame: int, *, cut: bool) -> Iterable[HttpExchange]:
        given: list[HttpExchange] = []
        at = 0
        while begun := _RESPONSE.match(payload, at):
            head = payload.find(b"\r\n\r\n", begun.end() - 1) + 2
            head, end = (head, head + 2) if head > 1 else _bare_head(payload, begun.end() - 1)
            if end < 0 and not cut and len(payload) - at < MOST_KEPT:
                self._keep(payload[at:], time, frame, from_client=False)
                break
            status = int(begun[1])
            if (status >= _INFORMATIONAL or status == _SWITCHING) and self._waiting:
                given.append(self._answered(self._waiting.popleft(), status, time))
            if status == _SWITCHING:
                self.done = True
                break
            if end < 0 or payload.find(b"HTTP/1.", end) < 0:
                break
            length = _LENGTH.search(payload, begun.end() - 1, head)
            if length:
                at = end + int(length[1])
            else:
                following = _NEXT.search(payload, end - 4)
                at = following.end() if following else len(payload)
        return given

    def _keep(self, payload: bytes, time: float, frame: int, *, from_client: bool) -> None:
        self._kept[from_client] = (payload, time, frame)
        self.eager = True

    def _answered(self, asked: _Asked, status: int, time: float) -> HttpExchange:
        return self._exchange(asked, status, nanoseconds(time - asked[1]))

    def _exchange(self, asked: _Asked, status: int | None, seconds: float | None) -> HttpExchange:
        frame, time, (method, _, path, version), host = asked
        connection = self._connection
        return HttpExchange(
            connection.client, connection.server, frame, time, method, host, path, status, seconds, version
        )

    def end(self) -> Iterable[HttpExchange]:
        """Requests without an answer."""
        unanswered = [self._exchange(asked, None, None) for asked in self._waiting]
        self._waiting.clear()
        return unanswered


def _bare_head(payload: bytes, at: int) -> tuple[int, int]:
    """The same for a header with lines that end in LF alone: where it and its lines end; -1 when not."""
    ended = _END.search(payload, at)
    return (ended.start() + 1, ended.end()) if ended else (-1, -1)


@lru_cache(maxsize=1024)
def _status(line: bytes) -> int:
    """The status that an answer begins with, 0 when it does not; `line` is its first 13 bytes."""
    begun = _RESPONSE.match(line)
    return int(begun[1]) if begun else 0


@lru_cache(maxsize=4096)
def _line(method: bytes, target: bytes, query: bytes | None, version: bytes) -> _Line:
    text = (target + (query or b"")).decode("utf-8", "replace")
    if method == b"CONNECT":  # whose target is a host, and no path
        host = redact.HIDDEN if len(target) >= _LONGEST_TARGET else redact.host(text)
        return "CONNECT", host, "", f"1.{version.decode()}"
    host = redact.split_target(text)[0]
    if host and len(target) >= _LONGEST_TARGET:
        host = redact.HIDDEN
    return method.decode(), host, redact.path(text), f"1.{version.decode()}"


@lru_cache(maxsize=1024)
def _host(value: bytes) -> str:
    if len(value) >= _LONGEST_HOST:
        return redact.HIDDEN
    return redact.host(value.decode("utf-8", "replace").strip())


def _open(connection: Connection, _segment: Segment) -> Http1:
    return Http1(connection)


HTTP1 = Known("HTTP", _STARTS, frozenset(), _open)
