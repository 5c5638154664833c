"""Kafka: what was asked by name and version, how long it took, and errors where they stand first. Pure.

kafka.apache.org, "A Guide to the Kafka Protocol": requests and answers begin with their length; a request
says what it asks for (API key and version), and both bear a number that pairs them. Topics, keys, records,
names of clients and tokens of SASL are passed over unread.
"""

import struct

from workers.summary.exchange import CallExchange
from workers.summary.protocols.inbox import MOST_FAILURES, Inbox, Place
from workers.summary.protocols.kafka_names import APIS, ERRORS, FIRST_ERROR
from workers.summary.protocols.reader import MOST_WAITING, Connection, Known, Segment

_REQUEST = struct.Struct(">IHHIh")
_HIGHEST_VERSION = 24
_LONGEST = 100 << 20  # socket.request.max.bytes of a broker, unless set otherwise
_READ = 600  # bytes of a request that are looked at: a client's id and a transaction's stand first
_LONGEST_ID = 249
_PRODUCE, _API_VERSIONS, _SASL_HANDSHAKE = 0, 18, 17
_FLEXIBLE_PRODUCE, _TRANSACTIONAL_PRODUCE = 9, 3


def asks(data: bytes) -> bool:
    """Whether a client's bytes begin like a request."""
    if len(data) < _REQUEST.size:
        return False
    size, key, version, _, named = _REQUEST.unpack_from(data)
    if key not in APIS or version > _HIGHEST_VERSION or not 10 <= size <= _LONGEST:  # noqa: PLR2004
        return False
    if not -1 <= named <= min(_LONGEST_ID, size - 10):
        return False
    name = data[_REQUEST.size : _REQUEST.size + max(named, 0)]
    return all(0x20 < letter < 0x7F for letter in name)  # noqa: PLR2004, printable


class Kafka:
    """Reads one connection, from its begin or from the middle."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client, self._server = Inbox(), Inbox()
        self._asked: dict[int, tuple[int, int, Place]] = {}
        self._told: list[CallExchange] = []
        self._missed = False  # bytes of the server
        self.done, self.eager = False, True

    def read(self, segment: Segment) -> list[CallExchange]:
        """The requests whose answers begin with this segment."""
        at = Place(segment.frame, segment.time)
        inbox = self._client if segment.from_client else self._server
        if segment.gap:
            inbox.stray()
            self._missed = self._missed or not segment.from_client
        if inbox.astray and (asks if segment.from_client else self._answers)(segment.payload):
            inbox.found()
        if not inbox.astray:
            inbox.add(segment.payload)
            while self._request(at) if segment.from_client else self._response(at):
                pass
        self._missed = self._missed or self._server.astray
        self.done = inbox.failures >= MOST_FAILURES
        return self._take()

    def end(self) -> list[CallExchange]:
        """The requests that were not answered."""
        for key, version, at in self._asked.values():
            self._say(key, version, at, unread=self._missed)
        self._asked.clear()
        return self._take()

    def _take(self) -> list[CallExchange]:
        told, self._told = self._told, []
        return told

    def _answers(self, data: bytes) -> bool:
        """Whether a server's bytes begin with an answer that is waited for."""
        return len(data) >= 8 and int.from_bytes(data[4:8], "big") in self._asked  # noqa: PLR2004

    def _request(self, at: Place) -> bool:
        body = _message(self._client, _READ)
        if body is None:
            return False
        # What is no request is a token of SASL, which old clients send bare (SaslHandshake version 0).
        message = len(body).to_bytes(4, "big") + body
        if not asks(message):
            return True
        _, key, version, number, named = _REQUEST.unpack_from(message)
        if key == _PRODUCE and _wants_no_answer(body[10 + max(named, 0) :], version):
            self._say(key, version, at, unread=True)
            return True
        self._asked.pop(number, None)
        self._asked[number] = (key, version, at)
        if len(self._asked) > MOST_WAITING:
            self._say(*self._asked.pop(next(iter(self._asked))), unread=True)
        return True

    def _response(self, at: Place) -> bool:
        body = _message(self._server, 16)
        if body is None:
            return False
        asked = self._asked.pop(int.from_bytes(body[:4], "big"), None) if len(body) >= 4 else None  # noqa: PLR2004
        if asked:
            self._say(*asked, answered=at, error=_error(asked[0], asked[1], body[4:]))
        return True

    def _say(
        self,
        key: int,
        version: int,
        asked: Place,
        *,
        answered: Place | None = None,
        error: str = "",
        unread: bool = False,
    ) -> None:
        client, server = self._connection.client, self._connection.server
        seconds = None if answered is None else answered.time - asked.time
        call = f"{APIS[key]} v{version}"
        self._told.append(
            CallExchange(
                client, server, asked.frame, asked.time, "Kafka", call, error or None, seconds, unread
            )
        )


def _message(inbox: Inbox, most: int) -> bytes | None:
    """The beginning of the next message behind its length; None while it is not there, or is none."""
    head = inbox.look(4)
    if head is None:
        return None
    size = int.from_bytes(head, "big")
    if not 4 <= size <= _LONGEST:  # noqa: PLR2004, an answer's number
        inbox.fail()
        return None
    whole = inbox.look(4 + min(size, most))
    if whole is None:
        return None
    inbox.skip(4 + size)
    return whole[4:]


def _wants_no_answer(body: bytes, version: int) -> bool:
    """Whether a Produce request says acks=0; `body` begins behind the client's id."""
    at = 0
    if version >= _FLEXIBLE_PRODUCE:
        if body[:1] != b"\0":  # tagged fields, which no client sends here
            return False
        at = 2 + max(body[1] - 1, 0) if len(body) > 1 else len(body)
    elif version >= _TRANSACTIONAL_PRODUCE:
        at = 2 + max(int.from_bytes(body[:2], "big", signed=True), 0)
    return body[at : at + 2] == b"\0\0"


def _error(key: int, version: int, body: bytes) -> str:
    """The error's name where it stands at the answer's begin, empty for none."""
    if key not in FIRST_ERROR:
        return ""
    throttled, flexible, newest = FIRST_ERROR[key]
    if version > newest:
        return ""
    at = (4 if version >= throttled else 0) + (1 if version >= flexible and key != _API_VERSIONS else 0)
    code = int.from_bytes(body[at : at + 2], "big", signed=True) if len(body) >= at + 2 else 0
    return ERRORS.get(code, f"error {code}") if code else ""


def _open(connection: Connection, segment: Segment) -> Kafka | None:
    # An answer says nothing by which it could be known: in the middle, reading begins with a request.
    if not segment.from_client or not asks(segment.payload):
        return None
    # Nothing but zeros is a request, too, of a client without a name: that counts on Kafka's own port only.
    named = segment.payload[12:14] != b"\0\0"
    return Kafka(connection) if named or connection.server.port in _PORTS else None


_STARTS = frozenset(size.to_bytes(4, "big") for size in range(10, 257))
_PORTS = frozenset((9092,))
KNOWN: Known = Known("Kafka", _STARTS, _PORTS, _open)
