"""Exchanges of a whole file: the first of each protocol kept, all of them counted in groups. Pure."""

from collections import Counter
from statistics import median

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import (
    CallExchange,
    DnsExchange,
    Exchange,
    Group,
    HttpExchange,
)

MOST_EXCHANGES = 2000
"""Of a protocol; and as many again that failed."""

MOST_GROUPS = 2000
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
        self.seconds: list[float] = []
        self.slowest, self.slowest_frame = -1.0, 0

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


class Said:
    """Collects exchanges; bounded whatever comes."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], _Counted] = {}
        self._kept: list[Exchange] = []
        self._places: Counter[tuple[str, bool]] = Counter()

    def add(self, exchange: Exchange) -> bool:
        """Counts it, keeps it while there is room; gives whether it is a failure."""
        protocol, asked, answer, failed = words(exchange)
        key = (protocol, asked, answer)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                key = (protocol, _OTHERS, answer[:20] if protocol != "TLS" else _OTHERS)
            group = self._groups.setdefault(key, _Counted(exchange.frame, exchange.server, failed=failed))
        group.add(exchange.seconds, exchange.frame)
        place = (protocol, failed)
        if self._places[place] < MOST_EXCHANGES:
            self._places[place] += 1
            self._kept.append(exchange)
        return failed

    def exchanges(self) -> tuple[Exchange, ...]:
        """Those kept, by frame."""
        return tuple(sorted(self._kept, key=lambda exchange: exchange.frame))

    def groups(self) -> tuple[Group, ...]:
        """Failures first, then by how often."""
        found = [
            Group(
                *key,
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


def _times(seconds: list[float]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    ordered = sorted(seconds)
    return median(ordered), ordered[(len(ordered) * 95 + 99) // 100 - 1]


def words(exchange: Exchange) -> tuple[str, str, str, bool]:
    """Protocol, question, answer, and whether it failed; not inert."""
    if isinstance(exchange, HttpExchange):
        asked = f"{exchange.method} {exchange.host}{exchange.path}"[:_LONGEST_ASKED]
        if exchange.status is None:
            return "HTTP", asked, "no answer", True
        if exchange.grpc_status:
            return "HTTP", asked, f"gRPC status {exchange.grpc_status}", True
        return "HTTP", asked, str(exchange.status), exchange.status >= _FIRST_HTTP_ERROR
    if isinstance(exchange, DnsExchange):
        answer = exchange.rcode or "no answer"
        return "DNS", f"{exchange.type} {exchange.name}", answer, exchange.rcode != "NOERROR"
    if isinstance(exchange, CallExchange):
        answer = "no answer" if exchange.seconds is None else exchange.error or "answered"
        return exchange.service, exchange.call, answer, answer != "answered"
    alerts = "".join(f", alert {alert}" for alert in exchange.alerts)
    failed = exchange.version is None or bool(exchange.alerts)
    answer = (exchange.version or "no answer") + alerts
    return "TLS", exchange.server_name or str(exchange.server), answer, failed
