r"""Redis: the names of commands and of errors, never an argument or a value. Pure.

Both sides speak values of RESP (redis.io, "Redis serialization protocol specification", versions 2 and 3):
a line whose first byte says the type; `$` and its like announce bytes, `*` and its like further values.
A client may also send a line of words (inline).
"""

import re

from workers.summary.exchange import CallExchange
from workers.summary.protocols.inbox import MOST_FAILURES, Inbox, Place
from workers.summary.protocols.reader import Connection, Known, Segment
from workers.summary.protocols.redis_commands import COMMANDS
from workers.summary.protocols.waiting import Waiting

_ASKS = re.compile(rb"\*[1-9]\d{0,6}\r\n\$[1-9]\d{0,2}\r\n[A-Za-z]")
_INLINE = re.compile(rb"(?i)(?:ping|quit|info|role|command|monitor|(?:auth|hello|select) [ -~]+)\r\n")
_ANSWERS = re.compile(rb"[+\-][ -~]{2,200}\r\n|[:$*%~>#_,(!=|][-+\d.a-z]{0,32}\r\n")
_MODULE = re.compile(r"[A-Z]{1,12}\.[A-Z_]{1,24}")  # FT.SEARCH, JSON.GET
_ERROR = re.compile(rb"[A-Z]{2,32}\b")

_LONGEST_LINE, _LONGEST_NAME = 64, 64
_MOST = 1 << 40  # values in a value: more is no Redis
_SCALARS, _BYTES, _VALUES, _PAIRS = (
    frozenset(b"+-:_#,("),
    frozenset(b"$!="),
    frozenset(b"*~>"),
    frozenset(b"%|"),
)
# After these the server sends what nobody asked for.
_UNASKED = frozenset(("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "PSYNC", "SYNC"))


def asks(data: bytes) -> bool:
    """Whether a client's bytes begin like a command."""
    return bool(_ASKS.match(data) or _INLINE.match(data))


def answers(data: bytes) -> bool:
    """Whether a server's bytes begin like an answer; other protocols' lines do, too: mind the port."""
    return bool(_ANSWERS.match(data))


class Redis:
    """Reads one connection, from its begin or from the middle."""

    def __init__(self, connection: Connection) -> None:
        self._waiting = Waiting(connection, "Redis")
        self._client, self._server = _Values(), _Values()
        self._cut = False  # the server's last packet
        self.done, self.eager = False, True

    def read(self, segment: Segment) -> list[CallExchange]:
        """The commands whose answers are complete with this segment."""
        side = self._client if segment.from_client else self._server
        if segment.gap:
            side.inbox.stray()
            side.begin()
            self._waiting.doubt()
        if not self.done:
            self._read(side, segment, Place(segment.frame, segment.time))
        if not segment.from_client:
            self._cut = segment.cut
        return self._waiting.take()

    def end(self) -> list[CallExchange]:
        """The commands that were not answered."""
        self._waiting.end(cut=self._cut)
        return self._waiting.take()

    def _read(self, side: "_Values", segment: Segment, at: Place) -> None:
        if side.inbox.astray:
            if not (asks if segment.from_client else answers)(segment.payload):
                return
            side.inbox.found()
        side.inbox.add(segment.payload)
        while not self.done and (value := side.next(inline=segment.from_client)) is not None:
            if segment.from_client:
                self._asked(value, at)
            elif value[:1] != b">":
                self._waiting.answer(at, _error(value))
        if side.under_way and not segment.from_client:
            self._waiting.begin(at)
        if side.inbox.astray:
            self._waiting.doubt()
            self.done = self.done or side.inbox.failures >= MOST_FAILURES

    def _asked(self, value: bytes, at: Place) -> None:
        name = _name(value)
        if not name:
            return
        self._waiting.ask(name, at)
        if name in _UNASKED:
            self._waiting.doubt()
            self.done = True


class _Values:
    """The values of one side, each as its first line's beginning, of a command its name."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.begin()

    def begin(self) -> None:
        """A value begins next."""
        self._missing = 0  # values until the outermost is whole
        self._first = b""
        self._wants_name = False
        self._name_size = 0

    @property
    def under_way(self) -> bool:
        """Whether a value has begun that is no push, and is not whole."""
        return self._missing > 0 and self._first[:1] != b">"

    def next(self, *, inline: bool) -> bytes | None:
        """The next whole value: its first line; of a client's array `*` and its first string."""
        while True:
            if self._name_size:
                name = self.inbox.look(self._name_size)
                if name is None:
                    return None
                self.inbox.skip(self._name_size + 2)
                self._first, self._name_size = b"*" + name, 0
                self._missing -= 1
            else:
                line = self.inbox.line(_LONGEST_LINE)
                if line is None:
                    return None
                if not self._line(line, inline=inline):
                    self.inbox.fail()
                    self.begin()
                    return None
            if self._missing == 0:
                whole = self._first
                self.begin()
                return whole

    def _line(self, line: bytes, *, inline: bool) -> bool:
        """Takes up a value's line; whether it is one."""
        outermost = self._missing == 0
        kind, rest = line[:1], line[1:]
        if outermost:
            if inline and kind != b"*":
                self._first = b"*" + line.partition(b" ")[0]
                return not line or _name(self._first) != "other"
            self._first, self._missing = line, 1
        if kind[:1] and kind[0] in _SCALARS:
            self._missing -= 1
            return True
        if not kind or not re.fullmatch(rb"-1|\d{1,12}", rest):
            return False
        size = int(rest)
        if kind[0] in _BYTES:
            return self._string(size, names=inline and self._wants_name)
        self._wants_name = inline and outermost
        if kind[0] in _PAIRS:
            size *= 2
        elif kind[0] not in _VALUES:
            return False
        # An attribute stands before the value it is about.
        self._missing += max(size, 0) - (kind != b"|")
        return self._missing <= _MOST

    def _string(self, size: int, *, names: bool) -> bool:
        self._wants_name = False
        if names and 0 < size <= _LONGEST_NAME:
            self._name_size = size
            return True
        if size >= 0:
            self.inbox.skip(size + 2)
        self._missing -= 1
        return True


def _name(value: bytes) -> str:
    """The command's name if it is one that Redis knows, or looks like a module's."""
    word = value[1:].decode("latin-1").upper()
    if word in ("", "0", "-1"):  # an empty line or array, which Redis passes over
        return ""
    return word if word in COMMANDS or _MODULE.fullmatch(word) else "other"


def _error(value: bytes) -> str:
    if value[:1] == b"-":
        found = _ERROR.match(value[1:])
        return found[0].decode() if found else "error"
    return "error" if value[:1] == b"!" else ""


def _open(connection: Connection, segment: Segment) -> Redis | None:
    like = asks if segment.from_client else answers
    return Redis(connection) if like(segment.payload) else None


_STARTS = [b"PING", *(f"*{count}\r\n".encode()[:4] for count in range(1, 1000))]
KNOWN: Known = Known("Redis", frozenset(_STARTS), frozenset((6379, 26379)), _open)  # Sentinel's port, too
