"""TLS handshakes, as far as they are not encrypted (RFC 8446, RFC 5246). Pure."""

from collections.abc import Iterable

from workers.summary.exchange import Certificate, TlsExchange
from workers.summary.protocols import certificate
from workers.summary.protocols.reader import MOST_KEPT, Connection, Known, Segment, nanoseconds
from workers.summary.protocols.tls_names import ALERTS, CIPHERS, VERSIONS

_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _APPLICATION = 20, 21, 22, 23
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = 1, 2, 11
_RECORD_HEADER, _MESSAGE_HEADER = 5, 4
_LONGEST_RECORD = 16_384 + 2048
_CLOSE_NOTIFY = 0
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_MOST_ALERTS = 4
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_STARTS = frozenset(
    bytes((kind, 3, minor)) + bytes([high])
    for kind in (_HANDSHAKE,)
    for minor in range(5)
    for high in range(65)
)


class _Side:
    __slots__ = ("encrypted", "messages", "records")

    def __init__(self) -> None:
        self.records = self.messages = b""
        self.encrypted = False


class Tls:
    """One connection."""

    __slots__ = (
        "_alerts",
        "_certificate",
        "_cipher",
        "_client",
        "_connection",
        "_frame",
        "_name",
        "_seconds",
        "_server",
        "_time",
        "_unread",
        "_version",
        "done",
        "eager",
    )

    def __init__(self, connection: Connection, first: Segment) -> None:
        self._connection = connection
        self._frame, self._time = first.frame, first.time
        self._name = ""
        self._version: str | None = None
        self._cipher: str | None = None
        self._seconds: float | None = None
        self._alerts: list[str] = []
        self._certificate: Certificate | None = None
        self._unread = False
        self._client, self._server = _Side(), _Side()
        self.done, self.eager = False, True

    def read(self, segment: Segment) -> Iterable[TlsExchange]:
        """The handshake, once all of it that can be read was."""
        side = self._client if segment.from_client else self._server
        if segment.gap and (side.records or side.messages):
            side.encrypted = True
            self._unread = self._unread or not segment.from_client
        elif not side.encrypted:
            side.records = side.records + segment.payload if side.records else segment.payload
            self._records(side, segment)
        elif segment.payload[0] == _ALERT:
            # In TLS 1.3 what is encrypted calls itself application data: a short alert is not.
            self._alert(segment.payload)
        if segment.cut:
            side.encrypted = True
            self._unread = self._unread or not segment.from_client
        return self._ended() if self._over() else ()

    def _records(self, side: _Side, segment: Segment) -> None:
        data, at = side.records, 0
        while at + _RECORD_HEADER <= len(data):
            kind, size = data[at], data[at + 3] << 8 | data[at + 4]
            known = _CHANGE_CIPHER <= kind <= _APPLICATION and data[at + 1] == 3  # noqa: PLR2004, the version
            if not known or size > _LONGEST_RECORD or kind in (_CHANGE_CIPHER, _APPLICATION):
                side.encrypted = True
                following = at + _RECORD_HEADER + size
                if kind == _CHANGE_CIPHER and data[following : following + 1] == bytes([_ALERT]):
                    self._alert(data[following:])
                break
            if at + _RECORD_HEADER + size > len(data):
                break
            if kind == _ALERT:
                self._alert(data[at : at + _RECORD_HEADER + size])
            elif kind == _HANDSHAKE:
                message = data[at + _RECORD_HEADER : at + _RECORD_HEADER + size]
                side.messages = side.messages + message if side.messages else message
                self._messages(side, segment)
            at += _RECORD_HEADER + size
        side.records = b"" if side.encrypted else data[at:]
        if len(side.records) + len(side.messages) > MOST_KEPT:
            side.encrypted = True
        if side.encrypted:
            side.records = side.messages = b""

    def _messages(self, side: _Side, segment: Segment) -> None:
        data, at = side.messages, 0
        while at + _MESSAGE_HEADER <= len(data):
            size = int.from_bytes(data[at + 1 : at + 4], "big")
            if at + _MESSAGE_HEADER + size > len(data):
                break
            self._message(data[at], data[at + _MESSAGE_HEADER : at + _MESSAGE_HEADER + size], segment)
            at += _MESSAGE_HEADER + size
        side.messages = data[at:]

    def _message(self, kind: int, body: bytes, segment: Segment) -> None:
        if kind == _CLIENT_HELLO and segment.from_client:
            self._name = self._name or _server_name(body)
        elif kind == _SERVER_HELLO and not segment.from_client and len(body) > 38 and body[2:34] != _RETRY:  # noqa: PLR2004
            at = 35 + body[34]
            chosen = _extension(body, at + 3, _SUPPORTED_VERSIONS, body[:2])
            number = int.from_bytes(chosen[:2], "big")
            self._version = VERSIONS.get(number, f"version 0x{number:04x}")
            suite = int.from_bytes(body[at : at + 2], "big")
            self._cipher = CIPHERS.get(suite, f"0x{suite:04x}")
            self._seconds = nanoseconds(segment.time - self._time)
        elif kind == _CERTIFICATE and not segment.from_client and self._certificate is None and len(body) > 6:  # noqa: PLR2004
            self._certificate = certificate.read(body[6 : 6 + int.from_bytes(body[3:6], "big")])

    def _alert(self, record: bytes) -> None:
        """Level and description; a longer one is encrypted."""
        if record[3:5] == b"\x00\x02" and len(record) > 6 and record[6] != _CLOSE_NOTIFY:  # noqa: PLR2004
            self._alerts.append(ALERTS.get(record[6], f"alert {record[6]}"))

    def _over(self) -> bool:
        return (self._client.encrypted and self._server.encrypted) or len(self._alerts) >= _MOST_ALERTS

    def _ended(self) -> Iterable[TlsExchange]:
        if self.done:
            return ()
        self.done = True
        return (
            TlsExchange(
                self._connection.client,
                self._connection.server,
                self._frame,
                self._time,
                self._name,
                self._version,
                self._seconds,
                tuple(self._alerts[:_MOST_ALERTS]),
                self._cipher,
                self._certificate,
                self._unread,
            ),
        )

    def end(self) -> Iterable[TlsExchange]:
        """The handshake as far as it came."""
        return self._ended()


def _server_name(hello: bytes) -> str:
    """The name in a ClientHello: behind version, random, session, suites and compressions."""
    at = 34
    for width in (1, 2, 1):
        at += width + int.from_bytes(hello[at : at + width], "big")
    names = _extension(hello, at, _SERVER_NAME, b"")
    size = int.from_bytes(names[3:5], "big")
    return names[5 : 5 + size][:255].decode("utf-8", "replace")


def _extension(hello: bytes, at: int, wanted: int, default: bytes) -> bytes:
    """The first of that number."""
    at += 2
    while at + 4 <= len(hello):
        size = hello[at + 2] << 8 | hello[at + 3]
        if hello[at] << 8 | hello[at + 1] == wanted:
            return hello[at + 4 : at + 4 + size]
        at += 4 + size
    return default


def _open(connection: Connection, segment: Segment) -> Tls | None:
    # Only a ClientHello begins a handshake that can be followed.
    return (
        Tls(connection, segment) if segment.from_client and segment.payload[5:6] in (b"\x01", b"") else None
    )


TLS = Known("TLS", _STARTS, frozenset(), _open)
