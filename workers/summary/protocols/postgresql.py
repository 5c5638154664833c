"""PostgreSQL: the first keyword of a statement and the code of an error, never its text. Pure.

PostgreSQL's manual, "Frontend/Backend Protocol" (3.0 and 3.2): a first message without a type, then messages
of one byte type, four bytes length. A client's message is a question where the server answers it with
ReadyForQuery: a Query, or whatever came until a Sync. Passwords, parameters and rows are passed over unread.
"""

import re

from workers.summary.exchange import CallExchange
from workers.summary.protocols.inbox import MOST_FAILURES, Inbox, Place
from workers.summary.protocols.postgresql_names import ASKED, CONDITIONS, KEYWORDS, SEVERITIES
from workers.summary.protocols.reader import Connection, Known, Segment
from workers.summary.protocols.waiting import Waiting

_VERSION_3, _TLS, _GSS, _CANCEL = 3, 80877103, 80877104, 80877102
_LONGEST_STARTUP, _LONGEST = 10_000, 1 << 30  # as the server has them (pqcomm.c, MAX_STARTUP_PACKET_LENGTH)
_LONGEST_SHORT = 30_000  # of the messages that are no data (fe-protocol3.c)
_READ = 256  # bytes of a message that are looked at
_MOST_STATEMENTS, _LONGEST_NAME = 128, 64
_CODE = re.compile("[0-9A-Z]{5}")  # SQLSTATE
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")

_FROM_CLIENT, _FROM_SERVER = frozenset(b"BCcdDEfFHpPQSX"), frozenset(b"123AcCdDEGHIKnNRsStTvVWZ")
_UNASKED = frozenset((b"N", b"S", b"A"))  # notices, changed settings and notifications come at any time
_LONG = frozenset(b"BdpPQFTDEVNA")


def begins(data: bytes) -> bool:
    """Whether a client's bytes are the first of a connection."""
    if len(data) < 8:  # noqa: PLR2004, length and version
        return False
    size, code = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    if code in (_TLS, _GSS):
        return size == 8 and len(data) == size  # noqa: PLR2004, length and code
    if code == _CANCEL:
        return 16 <= size <= 268 and len(data) == size  # noqa: PLR2004, 256 bytes of key since 3.2
    return code >> 16 == _VERSION_3 and len(data) <= size <= _LONGEST_STARTUP and data[8:13] == b"user\0"


def continues(data: bytes, *, from_client: bool) -> bool:
    """Whether bytes begin with messages, as far as they reach; mind the port."""
    types, at = _FROM_CLIENT if from_client else _FROM_SERVER, 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 5], "big")
        most = _LONGEST if data[at] in _LONG else _LONGEST_SHORT
        if data[at] not in types or not 4 <= size <= most:  # noqa: PLR2004, it counts itself
            return False
        at += 1 + size
    return at > 0


class PostgreSQL:
    """Reads one connection, from its begin or from the middle."""

    def __init__(self, connection: Connection) -> None:
        self._waiting = Waiting(connection, "PostgreSQL")
        self._client, self._server = Inbox(), Inbox()
        self.done = False  # also when both agreed to go on with TLS or GSSAPI
        self.eager = True
        self._starting = True
        self._encryption: tuple[str, Place] | None = None  # asked for, and not answered yet
        self._batch = ""  # what the messages since the last Sync were about
        self._batch_at: Place | None = None
        self._statements: dict[bytes, str] = {}
        self._error = ""
        self._cut = False  # the server's last packet

    def read(self, segment: Segment) -> list[CallExchange]:
        """The statements whose answers are complete with this segment."""
        inbox = self._client if segment.from_client else self._server
        if segment.gap:
            inbox.stray()
            self._doubt()
        if not self.done:
            self._read(inbox, segment, Place(segment.frame, segment.time))
        if not segment.from_client:
            self._cut = segment.cut
        return self._waiting.take()

    def end(self) -> list[CallExchange]:
        """The statements that were not answered."""
        if self._encryption:
            self._waiting.tell(*self._encryption)
            self._encryption = None
        self._waiting.end(cut=self._cut)
        return self._waiting.take()

    def _read(self, inbox: Inbox, segment: Segment, at: Place) -> None:
        if inbox.astray:
            if not continues(segment.payload, from_client=segment.from_client):
                return
            inbox.found()
        inbox.add(segment.payload)
        message = self._client_message if segment.from_client else self._server_message
        while not self.done and message(at):
            pass
        if inbox.astray:
            self._doubt()
            self.done = self.done or inbox.failures >= MOST_FAILURES

    def _doubt(self) -> None:
        self._starting, self._encryption = False, None
        self._batch, self._batch_at, self._error = "", None, ""
        self._statements.clear()
        self._waiting.doubt()

    def _client_message(self, at: Place) -> bool:
        """Reads one message; whether there was one."""
        if self._starting:
            return self._startup(at)
        message = _message(self._client, _FROM_CLIENT)
        if message is None:
            return False
        kind, body = message
        if kind == b"Q":
            self._waiting.ask(_keyword(body), at)
        elif kind == b"S":
            self._waiting.ask(self._batch or "Sync", self._batch_at or at)
            self._batch, self._batch_at = "", None
        elif kind in (b"P", b"B", b"E", b"D", b"C"):
            self._extended(kind, body, at)
        return True

    def _extended(self, kind: bytes, body: bytes, at: Place) -> None:
        """A message of a batch, which is named by its first statement, else by its first message."""
        name = ASKED[kind]
        if kind == b"P":
            statement, _, query = body.partition(b"\0")
            name = _keyword(query)
            if len(statement) <= _LONGEST_NAME:
                self._statements.pop(statement, None)
                self._statements[statement] = name
            if len(self._statements) > _MOST_STATEMENTS:
                del self._statements[next(iter(self._statements))]
        elif kind == b"B":
            statement = body.partition(b"\0")[2].partition(b"\0")[0]
            name = self._statements.get(statement, name)
        if self._batch_at is None or (self._batch in ASKED.values() and name in KEYWORDS):
            self._batch = name
        self._batch_at = self._batch_at or at

    def _startup(self, at: Place) -> bool:
        head = self._client.look(8)
        if head is None:
            return False
        size, code = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        if not 8 <= size <= _LONGEST_STARTUP:  # noqa: PLR2004, length and code
            self._client.fail()
            return False
        self._client.skip(size)
        if code in (_TLS, _GSS):
            self._encryption = ("TLS request" if code == _TLS else "GSSAPI request"), at
        elif code == _CANCEL:
            self._waiting.tell("cancel request", at, unread=True)
            self.done = True  # nothing follows, and nothing is answered
        else:
            self._starting = False
            self._waiting.ask("startup", at)
        return True

    def _server_message(self, at: Place) -> bool:
        """Reads one message; whether there was one."""
        if self._encryption:
            return self._encryption_answer(*self._encryption, at)
        message = _message(self._server, _FROM_SERVER)
        if message is None:
            return False
        kind, body = message
        if kind not in _UNASKED:
            self._waiting.begin(at)
        if kind == b"Z":
            self._waiting.answer(at, self._error)
            self._error = ""
        elif kind == b"E":
            severity, name = _error(body)
            self._error = self._error or name
            if severity in ("FATAL", "PANIC"):  # the server closes: nothing else answers
                self._waiting.answer(at, name)
                self._error = ""
        return True

    def _encryption_answer(self, name: str, asked: Place, at: Place) -> bool:
        answer = self._server.look(1)
        if answer is None:
            return False
        self._encryption = None
        if answer in b"SGN":
            self._server.skip(1)
            self.done = answer != b"N"
            # Clients ask before they log in, whether or not the server has TLS: to decline is no error.
            self._waiting.tell(name if self.done else f"{name}, declined", asked, answered=at)
        elif answer == b"E":
            self._waiting.ask(name, asked)
        else:
            self._server.fail()
        return True


def _message(inbox: Inbox, types: frozenset[int]) -> tuple[bytes, bytes] | None:
    """The next message's type and beginning; None while it is not there, or when it is none."""
    head = inbox.look(5)
    if head is None:
        return None
    size = int.from_bytes(head[1:], "big") - 4
    if head[0] not in types or not 0 <= size <= _LONGEST:
        inbox.fail()
        return None
    whole = inbox.look(5 + min(size, _READ))
    if whole is None:
        return None
    inbox.skip(5 + size)
    return whole[:1], whole[5:]


def _keyword(query: bytes) -> str:
    """The first keyword of a statement, `other` if it is none; comments before it are passed over."""
    rest = query.partition(b"\0")[0].lstrip(b" \t\r\n\f(;")
    while rest.startswith((b"--", b"/*")):
        ends = b"\n" if rest.startswith(b"--") else b"*/"
        rest = rest[2:].partition(ends)[2].lstrip(b" \t\r\n\f(;")
    word = rest[:30].decode("latin-1").upper()
    length = next((at for at, letter in enumerate(word) if letter not in _LETTERS), len(word))
    if word[:length] in KEYWORDS:
        return word[:length]
    return "other" if query.strip(b"\0; \n") else "empty"


def _error(body: bytes) -> tuple[str, str]:
    """The severity, and `ERROR 42P01 (undefined_table)`, of an ErrorResponse."""
    severity, code = "ERROR", ""
    for field in body.split(b"\0"):
        text = field[1:].decode("latin-1")
        # V is the severity that is not translated (9.6 and newer), and comes behind S.
        if field[:1] in (b"S", b"V") and text in SEVERITIES:
            severity = text
        elif field[:1] == b"C" and _CODE.fullmatch(text):
            code = text
            break
    known = CONDITIONS.get(code)
    return severity, f"{severity} {code}".strip() + (f" ({known})" if known else "")


def _open(connection: Connection, segment: Segment) -> PostgreSQL | None:
    data = segment.payload
    if segment.from_client and begins(data):
        return PostgreSQL(connection)
    # In the middle any port could be meant: what begins like messages is PostgreSQL's on its own ports only.
    if connection.server.port in _PORTS and continues(data, from_client=segment.from_client):
        return PostgreSQL(connection)
    return None


_PORTS = frozenset((5432, 6432))  # the server's, and PgBouncer's
_STARTS = frozenset(size.to_bytes(4, "big") for size in range(8, 257))
KNOWN: Known = Known("PostgreSQL", _STARTS, _PORTS, _open)
