"""HTTP requests that were answered with an error. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Group, HttpExchange
from workers.summary.finding import Evidence, Finding, Severity
from workers.summary.findings import filters, wording

SERVER, CLIENT = "http-server-error", "http-client-error"

MANY_4XX = 5
SHARE_4XX = 0.1
"""A client's error is worth a word when so many of a server's requests, and such a share of them, meet one,
or more than half of them: single ones (a missing icon, a login that is asked for) are usual."""

SHARE_5XX = 0.5
"""From such a share of errors on the server does not work."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most two for each server: its own errors (5xx), and the requests' (4xx)."""
    servers: dict[Endpoint, list[tuple[int, Group]]] = defaultdict(list)
    for group in evidence.summary.groups:
        if group.protocol == "HTTP":
            servers[group.server].append((int(group.answer) if group.answer.isdecimal() else 0, group))
    for server, answers in servers.items():
        requests = sum(group.times for _, group in answers)
        for kind in (5, 4):
            failed = [(status, group) for status, group in answers if status // 100 == kind]
            times = sum(group.times for _, group in failed)
            if not times or (kind == 4 and not _many(times, requests)):  # noqa: PLR2004, 4xx
                continue
            yield _finding(evidence, server, kind, failed, times, requests)


def _many(times: int, requests: int) -> bool:
    """Whether so many of a client's errors are worth a word."""
    return times * 2 > requests or (times >= MANY_4XX and times >= requests * SHARE_4XX)


def _finding(
    evidence: Evidence,
    server: Endpoint,
    kind: int,
    failed: list[tuple[int, Group]],
    times: int,
    requests: int,
) -> Finding:
    statuses, asked = Counter[str](), Counter[str]()
    for status, group in failed:
        statuses[str(status)] += group.times
        asked[wording.quoted(group.asked)] += group.times
    first = min(failed, key=lambda each: each[1].frame)[1].frame
    answered = [
        each
        for each in evidence.summary.exchanges
        if isinstance(each, HttpExchange) and each.server == server and (each.status or 0) // 100 == kind
    ]
    # Not how often each asked: of many exchanges the first are kept.
    clients = Counter(each.client.address for each in answered)
    callers = Counter(wording.host(evidence.names, address) for address in clients.elements())
    protocol = "http2" if any(each.version == "2" for each in answered) else "http"
    low, high = kind * 100, kind * 100 + 99
    codes = " || ".join(f"({field} >= {low} && {field} <= {high})" for field in _FIELDS)
    # A server that fails a single time is an accident, one that fails at every other request does not work.
    severe: Severity = "critical" if kind == 5 and times >= requests * SHARE_5XX else "warning"  # noqa: PLR2004, 5xx
    return Finding(
        SERVER if kind == 5 else CLIENT,  # noqa: PLR2004, 5xx
        severe,
        f"{wording.server(evidence.names, server)} answered {times:,} of "
        f"{wording.many(requests, 'HTTP request')} "
        f"with {wording.some(statuses)} ({wording.share(times, requests)}): {wording.some(asked)}"
        f"{f', from {wording.some(callers, numbers=False)}' if callers else ''}.",
        {
            "times": times,
            "requests": requests,
            "clients": len(clients),
            "share": round(times / requests, 6),
            "address": str(server),
        },
        filters.answered(first, protocol, f"({codes})", server),
        first,
        _NEXT_GATEWAY
        if kind == 5 and {"502", "503", "504"} & set(statuses)  # noqa: PLR2004, 5xx
        else _NEXT[kind],
    )


_FIELDS = ("http.response.code", "http2.headers.status")
_NEXT = {
    5: "Read that pod's log at the time of the first of them.",
    4: "Compare what is asked with what the server offers: path, credentials, limits of its rate.",
}
_NEXT_GATEWAY = (
    "It could not reach what is behind it, or was told to refuse: check that the servers behind it are ready."
)
