"""DNS answers that take long. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.dns_search import asked
from workers.summary.findings.percentile import percentile
from workers.summary.table import span

ID = "dns-slow"

SLOW = 0.5
"""Seconds: answers inside of a cluster take milliseconds, those from elsewhere some ten."""

LEAST = 2
"""Slow answers: one may be a name that had to be fetched from far."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server."""
    servers: dict[Endpoint, list[DnsExchange]] = defaultdict(list)
    for each in asked(evidence):
        if each.seconds is not None:
            servers[each.server].append(each)
    for server, answered in servers.items():
        slow = [each for each in answered if (each.seconds or 0.0) >= SLOW]
        if len(slow) < LEAST:
            continue
        seconds = [each.seconds or 0.0 for each in answered]
        p50, p95, worst = percentile(seconds, 50), percentile(seconds, 95), max(seconds)
        first = slow[0]
        late = f"dns.time >= {SLOW} && {filters.address(server.address, 'src')}"
        yield Finding(
            ID,
            "warning",
            f"{wording.host(evidence.names, server.address)} took longer than {span(SLOW)} for "
            f"{len(slow):,} of "
            f"{wording.many(len(answered), 'DNS question')} (half of all within {span(p50)}, 95 of 100 "
            "within "
            f"{span(p95)}, the slowest {span(worst)}).",
            {
                "times": len(slow),
                "questions": len(answered),
                "clients": len({each.client.address for each in slow}),
                "p50": p50,
                "p95": p95,
                "slowest": worst,
            },
            filters.and_answers(first.frame, late),
            first.frame,
            "Look at the CPU limits of the cluster's DNS pods, and at the servers they forward to.",
        )
