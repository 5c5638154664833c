"""Exchanges of a whole file: the first of each protocol kept, all of them counted in groups. Pure."""

from array import array
from collections.abc import Sequence
from math import inf
from statistics import median
from typing import NamedTuple

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import (
    CallExchange,
    DnsExchange,
    Exchange,
    Group,
    HttpExchange,
    TlsExchange,
    without_answer,
)

MOST_EXCHANGES = 2000
"""Of a protocol; and as many again that failed."""

MOST_GROUPS = 2000
_MOST_ALIKE = 8000
_MOST_TIMES = 1000
_FIRST_HTTP_ERROR = 400
_OTHERS = "(others)"
_LONGEST_ASKED = 300


class _Counted:
    __slots__ = ("answered", "failed", "frame", "seconds", "server", "slowest", "slowest_frame", "times")

    def __init__(self, frame: int, server: Endpoint, *, failed: bool) -> None:
        self.frame = frame
        self.server = server
        self.failed = failed
        self.times = self.answered = 0
        self.seconds = array("d")
        self.slowest, self.slowest_frame = -inf, 0  # times of a file may go backwards

    def add(self, seconds: float | None, frame: int) -> None:
        self.times += 1
        if seconds is None:
            return
        self.answered += 1
        if seconds > self.slowest:
            self.slowest, self.slowest_frame = seconds, frame
        if self.answered <= _MOST_TIMES:
            self.seconds.append(seconds)
        # Each later one takes a place with the right chance; the numbers are the same every time.
        elif (place := self.answered * 2_654_435_761 % 4_294_967_291 % self.answered) < _MOST_TIMES:
            self.seconds[place] = seconds


class _Alike(NamedTuple):
    """What exchanges that differ in nothing a group tells have in common; `room` is a list of one number."""

    group: _Counted
    failed: bool
    room: list[int]


class Said:
    """Collects exchanges; bounded whatever comes."""

    def __init__(self) -> None:
        # By what is read, and whose answers they are; beyond all bounds those of several servers together.
        self._groups: dict[tuple[str, str, str, Endpoint | None], _Counted] = {}
        self._kept: list[Exchange] = []
        self._room: dict[tuple[str, bool], list[int]] = {}
        # So that the words of each exchange need not be made anew.
        self._alike: dict[tuple[object, ...], _Alike] = {}

    def add(self, exchange: Exchange) -> bool:
        """Counts it, keeps it while there is room; gives whether it is a failure."""
        same = _same(exchange)
        group, failed, room = self._alike.get(same) or self._new(exchange, same)
        group.add(exchange.seconds, exchange.frame)
        if room[0]:
            room[0] -= 1
            self._kept.append(exchange)
        return failed

    def _new(self, exchange: Exchange, same: tuple[object, ...]) -> _Alike:
        protocol, asked, answer, failed = words(exchange)
        key: tuple[str, str, str, Endpoint | None] = (protocol, asked, answer, exchange.server)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                server = exchange.server if len(self._groups) < 2 * MOST_GROUPS else None
                key = (protocol, _OTHERS, answer[:20] if protocol != "TLS" else _OTHERS, server)
            group = self._groups.setdefault(key, _Counted(exchange.frame, exchange.server, failed=failed))
        alike = _Alike(group, failed, self._room.setdefault((protocol, failed), [MOST_EXCHANGES]))
        if len(self._alike) < _MOST_ALIKE:
            self._alike[same] = alike
        return alike

    def exchanges(self) -> tuple[Exchange, ...]:
        """Those kept, by frame."""
        return tuple(sorted(self._kept, key=lambda exchange: exchange.frame))

    def groups(self) -> tuple[Group, ...]:
        """Failures first, then by how often."""
        found = [
            Group(
                *key[:3],
                each.failed,
                each.times,
                each.frame,
                each.server,
                *_times(each.seconds),
                *((each.slowest, each.slowest_frame) if each.answered else (None, None)),
            )
            for key, each in self._groups.items()
        ]
        return tuple(sorted(found, key=lambda group: (not group.failed, -group.times, group.frame)))


def _same(exchange: Exchange) -> tuple[object, ...]:
    """Equal for exchanges of which `words` gives the same; of HTTP and DNS a part of the tuple as it is."""
    if isinstance(exchange, HttpExchange):
        asked = exchange[1:2] + exchange[4:8]
        if exchange.grpc_status is None and not exchange.unread:
            return asked
        return (*asked, exchange.grpc_status, exchange.unread)
    if isinstance(exchange, DnsExchange):
        return exchange[1:2] + exchange[4:7]
    server = exchange.server
    if isinstance(exchange, TlsExchange):
        return "TLS", server, (exchange.server_name, exchange.version, exchange.alerts, exchange.unread)
    return (
        exchange.service,
        server,
        (exchange.call, exchange.error, exchange.seconds is None, exchange.unread),
    )


def _times(seconds: Sequence[float]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    ordered = sorted(seconds)
    return median(ordered), ordered[(len(ordered) * 95 + 99) // 100 - 1]


def words(exchange: Exchange) -> tuple[str, str, str, bool]:
    """Protocol, question, answer, and whether it failed; not inert."""
    if isinstance(exchange, HttpExchange):
        asked = f"{exchange.method} {exchange.host}{exchange.path}"[:_LONGEST_ASKED]
        if exchange.status is None:
            said = without_answer(exchange)
        elif exchange.grpc_status:
            said = f"gRPC status {exchange.grpc_status}", True
        else:
            said = str(exchange.status), exchange.status >= _FIRST_HTTP_ERROR
        return "HTTP", asked, *said
    if isinstance(exchange, DnsExchange):
        answer = exchange.rcode or "no answer"
        return "DNS", f"{exchange.type} {exchange.name}", answer, exchange.rcode != "NOERROR"
    if isinstance(exchange, CallExchange):
        said = exchange.error or "answered", bool(exchange.error)
        if exchange.seconds is None:
            said = without_answer(exchange)
        return exchange.service, exchange.call, *said
    told = [*filter(None, [exchange.version]), *(f"alert {alert}" for alert in exchange.alerts)]
    said = ", ".join(told), exchange.version is None or bool(exchange.alerts)
    if not told:
        said = without_answer(exchange)
    return "TLS", exchange.server_name or str(exchange.server), *said
