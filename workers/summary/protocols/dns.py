"""DNS questions and their answers, over UDP and TCP (RFC 1035). Pure."""

import struct
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange
from workers.summary.protocols.reader import MOST_KEPT, Connection, Known, Segment, nanoseconds

PORTS = frozenset((53, 5353))  # the second is also multicast's, of which there are no answers to questions
MOST_WAITING = 10_000

_HEADER = struct.Struct(">HHHHHH").unpack_from
_HEADER_SIZE = 12
_RESPONSE, _TRUNCATED = 0x8000, 0x0200
_MOST_LABELS, _LONGEST_LABEL = 127, 63
_QUERY_AND_UPDATE = (0, 4, 5)  # opcodes: standard query, notify, update

# IANA: DNS Parameters, resource record types and RCODEs.
_TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    43: "DS",
    48: "DNSKEY",
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
    257: "CAA",
}
_RCODES = (
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
)


class _Asked(NamedTuple):
    client: Endpoint
    server: Endpoint
    frame: int
    time: float
    times: int
    transport: Literal["TCP", "UDP"]


_Key = tuple[object, int, bytes]
"""Of a question: its connection, its number, and itself."""


class Questions:
    """Those of all connections that wait for an answer; the oldest are given up when there are too many."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[_Key, _Asked] = OrderedDict()

    def read(
        self,
        who: object,
        sender: Endpoint,
        receiver: Endpoint,
        message: bytes,
        time: float,
        frame: int,
        transport: Literal["TCP", "UDP"] = "UDP",
    ) -> Iterable[DnsExchange]:
        """The exchanges that a message completes; `who` is the same for both directions of a connection."""
        if len(message) < _HEADER_SIZE:
            return ()
        number, flags, questions, answers, _, _ = _HEADER(message)
        if questions != 1 or flags >> 11 & 15 not in _QUERY_AND_UPDATE:
            return ()
        # Nearly always the first zero ends the name.
        question = message[_HEADER_SIZE : max(_HEADER_SIZE, message.find(b"\0", _HEADER_SIZE) + 5)]
        if not _is_question(question):
            end = _question_end(message)
            if end is None:
                return ()
            question = message[_HEADER_SIZE:end]
        key = (who, number, question.lower())
        if not flags & _RESPONSE:
            return self._ask(key, _Asked(sender, receiver, frame, time, 1, transport))
        asked = self._waiting.pop(key, None)
        if asked is None:
            return ()
        rcode = flags & 15
        name = _RCODES[rcode] if rcode < len(_RCODES) else f"RCODE{rcode}"
        seconds = nanoseconds(time - asked.time)
        return (_exchange(key[2], asked, name, seconds, answers, truncated=bool(flags & _TRUNCATED)),)

    def _ask(self, key: _Key, asked: _Asked) -> Iterable[DnsExchange]:
        known = self._waiting.get(key)
        if known is not None:  # a repeated question waits for the same answer
            self._waiting[key] = known._replace(times=known.times + 1)
            return ()
        self._waiting[key] = asked
        if len(self._waiting) <= MOST_WAITING:
            return ()
        oldest, forgotten = self._waiting.popitem(last=False)
        return (_exchange(oldest[2], forgotten, None, None),)

    def end(self, who: object = None) -> Iterable[DnsExchange]:
        """Questions without an answer: of one connection, or of all."""
        keys = [key for key in self._waiting if who is None or key[0] is who]
        return [_exchange(key[2], self._waiting.pop(key), None, None) for key in keys]


def _exchange(
    question: bytes,
    asked: _Asked,
    rcode: str | None,
    seconds: float | None,
    answers: int = 0,
    *,
    truncated: bool = False,
) -> DnsExchange:
    name, kind = _words(question)
    return DnsExchange(
        asked.client,
        asked.server,
        asked.frame,
        asked.time,
        name,
        kind,
        rcode,
        seconds,
        asked.times,
        answers,
        truncated,
        asked.transport,
    )


def _question_end(message: bytes) -> int | None:
    """Behind the first question's type and class; None when it is not whole."""
    at = _HEADER_SIZE
    for _ in range(_MOST_LABELS + 1):
        if at >= len(message):
            return None
        size = message[at]
        at += 1 + size
        if size == 0:
            return at + 4 if at + 4 <= len(message) else None
        if size > _LONGEST_LABEL:
            return None
    return None


@lru_cache(maxsize=4096)
def _is_question(question: bytes) -> bool:
    """Whether these bytes are one whole question, and nothing else."""
    return _question_end(bytes(_HEADER_SIZE) + question) == _HEADER_SIZE + len(question)


@lru_cache(maxsize=4096)
def _words(question: bytes) -> tuple[str, str]:
    """Name and type of a question, whose name ends in an empty label."""
    labels, at = [], 0
    while question[at]:
        size = question[at]
        labels.append(question[at + 1 : at + 1 + size].decode("utf-8", "replace"))
        at += 1 + size
    kind = question[at + 1] << 8 | question[at + 2]
    return ".".join(labels)[:255] or ".", _TYPES.get(kind, f"TYPE{kind}")


class DnsOverTcp:
    """One TCP connection: messages, each behind its length in two bytes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._questions = Questions()
        self._kept = {True: b"", False: b""}
        self.done, self.eager = False, True

    def read(self, segment: Segment) -> Iterable[DnsExchange]:
        """The exchanges that are answered in this segment."""
        if segment.gap and self._kept[segment.from_client]:
            self.done = True
            self._questions = Questions()
            return ()
        data = self._kept[segment.from_client] + segment.payload
        ends = self._connection.client, self._connection.server
        sender, receiver = ends if segment.from_client else ends[::-1]
        given: list[DnsExchange] = []
        at = 0
        while at + 2 <= len(data) and at + 2 + (size := data[at] << 8 | data[at + 1]) <= len(data):
            message = data[at + 2 : at + 2 + size]
            given += self._questions.read(self, sender, receiver, message, segment.time, segment.frame, "TCP")
            at += 2 + size
        self._kept[segment.from_client] = data[at:]
        self.done = len(data) - at > MOST_KEPT + 2 or segment.cut
        if self.done:
            self._questions = Questions()  # whether the others are answered is not read
        return given

    def end(self) -> Iterable[DnsExchange]:
        """Questions without an answer."""
        return self._questions.end()


def _open(connection: Connection, segment: Segment) -> DnsOverTcp | None:
    size = segment.payload[0] << 8 | segment.payload[1] if len(segment.payload) > 1 else _HEADER_SIZE
    return DnsOverTcp(connection) if size >= _HEADER_SIZE and not segment.gap else None


DNS_OVER_TCP = Known("DNS", frozenset(), PORTS, _open)
