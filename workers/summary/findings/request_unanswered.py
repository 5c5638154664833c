"""Requests that were taken and never answered. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Exchange, HttpExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, retransmissions, wording
from workers.summary.findings.tls_failure import TLS_PORTS
from workers.summary.flow import Flow
from workers.summary.table import span

ID = "request-unanswered"

PATIENCE = 5.0
"""Seconds after which a request that waits when the capture ends is worth a word: most answers take less."""

GIVES_UP = 0.1
"""Seconds before a client closes from which on it gave up; one that is faster wanted no answer."""

SHARE = 0.5
"""From such a share of a server's requests on it does not work."""

# They wait for something to happen, as long as they are told.
_BLOCKING = frozenset(
    (
        *("BLPOP", "BRPOP", "BLMOVE", "BLMPOP", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD"),
        *("XREADGROUP", "WAIT", "WAITAOF", "MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "PSYNC"),
        *("Fetch", "JoinGroup", "SyncGroup"),
    )
)

_End = Literal["closed", "gave up", "waits"]
_Request = HttpExchange | CallExchange


class _Lost(NamedTuple):
    """A request without an answer, how that ended, and how many seconds it had waited by then."""

    request: _Request
    end: _End
    waited: float


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and protocol."""
    asked = [each for each in map(_waiting, evidence.summary.exchanges) if each is not None]
    found: dict[tuple[str, Endpoint], list[_Lost]] = defaultdict(list)
    for lost in _lost(evidence, asked):
        found[_protocol(lost.request), lost.request.server].append(lost)
    for (protocol, server), each in found.items():
        yield _finding(evidence, protocol, server, each)


def _waiting(each: Exchange) -> _Request | None:
    """The same, if it has no answer and may be expected to have one."""
    if isinstance(each, HttpExchange):
        # Streams of HTTP/2 may be open for long before anything is said.
        unread = each.unread or each.version == "2" or each.server.port in TLS_PORTS
        return None if unread or each.status is not None else each
    if isinstance(each, CallExchange):
        unread = each.unread or each.call in _BLOCKING
        return None if unread or each.seconds is not None else each
    return None


def _protocol(request: _Request) -> str:
    return "HTTP" if isinstance(request, HttpExchange) else request.service


def _lost(evidence: Evidence, asked: list[_Request]) -> Iterator[_Lost]:
    if not asked:
        return
    wanted = {frozenset((each.client, each.server)) for each in asked}
    flows: dict[frozenset[Endpoint], list[Flow]] = defaultdict(list)
    for flow in evidence.summary.flows:
        ends = frozenset((flow.a, flow.b))
        if ends in wanted and flow.protocol == "TCP":
            flows[ends].append(flow)
    for each in asked:
        for flow in flows[frozenset((each.client, each.server))]:
            if flow.start <= each.start <= flow.start + flow.duration:
                end = _end(each, flow, evidence.summary.totals.duration)
                if end is not None:
                    yield end
                break


def _end(request: _Request, flow: Flow, last: float) -> _Lost | None:
    """How it ended; None where another finding says so, or where it may be answered still."""
    client, heard = ("a", flow.packets_ba) if flow.a == request.client else ("b", flow.packets_ab)
    again = max(flow.retransmitted_ab, flow.retransmitted_ba)
    if flow.resets_ab or flow.resets_ba or not heard or again >= retransmissions.LEAST:
        return None
    waited = flow.start + flow.duration - request.start
    if flow.closed_by is None:
        waited = last - request.start
        long = waited >= PATIENCE and isinstance(request, HttpExchange)
        return _Lost(request, "waits", waited) if long else None
    if flow.closed_by != client:
        return _Lost(request, "closed", waited)
    return _Lost(request, "gave up", waited) if waited >= GIVES_UP else None


def _finding(evidence: Evidence, protocol: str, server: Endpoint, lost: list[_Lost]) -> Finding:
    summary = evidence.summary
    total = sum(
        group.times for group in summary.groups if (group.protocol, group.server) == (protocol, server)
    )
    total = max(total, len(lost))
    ends = Counter(each.end for each in lost)
    asked = Counter(wording.quoted(_asked(each.request)) for each in lost)
    clients = [each.request.client.address for each in lost]
    first = lost[0].request
    pairs = [(each.request.client, server) for each in lost]
    broken = len(lost) >= total * SHARE and ends["waits"] < len(lost)
    noun = "HTTP request" if protocol == "HTTP" else f"{protocol} call"
    return Finding(
        ID,
        "critical" if broken else "warning",
        f"{wording.server(evidence.names, server)} did not answer {len(lost):,} of "
        f"{wording.many(total, noun)}: {wording.some(asked)}, from "
        f"{wording.hosts(evidence.names, clients)}; {_told(lost, ends)}.",
        {
            "times": len(lost),
            "requests": total,
            "clients": len(set(clients)),
            "closed": ends["closed"],
            "gave_up": ends["gave up"],
            "waiting": ends["waits"],
            "longest": max(each.waited for each in lost),
            "address": str(server),
        },
        filters.from_frame(first.frame, f"tcp.len > 0 && {filters.connections(pairs)}"),
        first.frame,
        "Read that server's log at that time, and look at its restarts."
        if ends["closed"] == len(lost)
        else "Look at what that server waits for: its log, CPU limits (throttling), locks, whom it asks "
        "itself.",
    )


def _asked(request: _Request) -> str:
    if isinstance(request, HttpExchange):
        return f"{request.method} {request.host}{request.path}"
    return request.call


def _told(lost: list[_Lost], ends: Counter[_End]) -> str:
    words = {
        "closed": "it closed the connection instead",
        "gave up": "the client gave up after {}",
        "waits": "the client still waited after {} when the capture ended",
    }
    told = []
    for end, said in words.items():
        waited = [each.waited for each in lost if each.end == end]
        if waited:
            often = f" ({len(waited):,} times)" if len(ends) > 1 or len(waited) > 1 else ""
            long = f"{'up to ' if len(waited) > 1 else ''}{span(max(waited))}"
            told.append(said.format(long) + often)
    return ", ".join(told)
