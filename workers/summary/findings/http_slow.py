"""HTTP requests that take long, with their percentiles. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator

from workers.summary.exchange import HttpExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.percentile import percentile
from workers.summary.table import span

ID = "http-slow"

SLOW = 1.0
"""Seconds from which on a person notices that something waits (Nielsen, "Response Times")."""

LEAST = 20
"""Answered requests of a route: with fewer the 95th of 100 is just the slowest."""

FEW = 3
"""Answered requests of a route from which on it is slow if half of them are."""

_VARIABLE = re.compile(r"/(?:\d+|[0-9a-fA-F-]{8,}|…)(?=/|$)")


def route(exchange: HttpExchange) -> str:
    """Method, host and path, numbers and ids in the path as `*`: `GET cheddar/orders/*`."""
    return f"{exchange.method} {exchange.host}{_VARIABLE.sub('/*', exchange.path)}"


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each route of which 5 in 100 requests or more were slow."""
    routes: dict[tuple[str, str, int], list[HttpExchange]] = defaultdict(list)
    for each in evidence.summary.exchanges:
        if isinstance(each, HttpExchange) and each.seconds is not None:
            routes[route(each), each.server.address, each.server.port].append(each)
    for (name, _, _), answered in routes.items():
        seconds = [each.seconds or 0.0 for each in answered]
        share = 95 if len(answered) >= LEAST else 50
        if len(answered) < FEW or percentile(seconds, share) < SLOW:
            continue
        slow = [each for each in answered if (each.seconds or 0.0) >= SLOW]
        p50, p95, p99 = (percentile(seconds, percent) for percent in (50, 95, 99))
        first = slow[0]
        others = f"5 of 100 longer than {span(p95)}, 1 of 100 longer than {span(p99)}"
        if len(answered) < LEAST:
            others = f"the slowest {span(max(seconds))}"
        late = f"http.time >= {SLOW} && {filters.sender(first.server)}"
        if first.version == "2":
            late = f"tcp.len > 0 && {filters.sender(first.server)} && frame.number >= {first.frame}"
        yield Finding(
            ID,
            "warning",
            f"{wording.server(evidence.names, first.server)} is slow at {wording.quoted(name)}: of "
            f"{len(answered):,} requests half took up to {span(p50)}, {others}.",
            {
                "times": len(slow),
                "requests": len(answered),
                "clients": len({each.client.address for each in slow}),
                "p50": p50,
                "p95": p95,
                "p99": p99,
            },
            filters.and_answers(first.frame, late),
            first.frame,
            "The answer came that late from the server itself, where it was captured there: look at what "
            "it waits "
            "for; captured at the client, compare with a capture at the server.",
        )
