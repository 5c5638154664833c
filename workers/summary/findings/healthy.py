"""A capture in which nothing is wrong, and the numbers that say so. Pure."""

from collections.abc import Iterator

from workers.summary.exchange import NO_ANSWER, UNREAD, DnsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import wording
from workers.summary.findings.http_slow import SLOW
from workers.summary.table import span
from workers.thread.words import count

ID = "healthy"

_USUAL = {
    "reset": "reset",
    "unanswered": "fresh SYN",
    "zero-window": "full receive window",
    "tls-failure": "unfinished TLS handshake",
    "call-failure": "database error",
}
"""Kinds of events of which some mean nothing."""

_FIRST_HTTP_ERROR = 400


def find(evidence: Evidence) -> Iterator[Finding]:
    """One, where anything can be judged. Only asked where no other finding is a warning or worse."""
    summary = evidence.summary
    said = [*_connections(evidence), *_http(evidence), *_dns(evidence)]
    if not said:
        return
    counts = summary.event_counts
    there = [count(number, noun) for kind, noun in _USUAL.items() if (number := counts.get(kind, 0))]
    rest = f" Seen as well, and usual as it was: {', '.join(there)}." if there else ""
    unread = "" if summary.payload else " What HTTP, DNS and TLS said is not in a capture of headers only."
    yield Finding(
        ID,
        "info",
        f"This capture looks healthy: {'; '.join(said)}.{rest}{unread}",
        {"flows": summary.flow_count, "packets": summary.totals.packets},
        next="If something is slow or fails all the same, capture at the next hop: it is not here.",
    )


def _connections(evidence: Evidence) -> Iterator[str]:
    opened = answered = tcp = again = packets = 0
    for flow in evidence.summary.flows:
        if flow.protocol == "TCP":
            tcp += 1
            packets += flow.packets_ab + flow.packets_ba
            again += flow.retransmitted_ab + flow.retransmitted_ba
            if flow.syns_ab or flow.syns_ba:
                opened += 1
                answered += bool(flow.packets_ba)
    if opened and answered == opened:
        yield (
            "the one connection that was opened was answered"
            if opened == 1
            else (f"all of {opened:,} connections that were opened were answered")
        )
    elif opened:
        yield f"{answered:,} of {opened:,} connections were answered, the others are too young"
    if tcp and not evidence.summary.event_counts.get("reset"):
        yield "none was reset" if opened else f"none of {count(tcp, 'connection')} was reset"
    if tcp:
        yield (
            f"{again:,} of {packets:,} packets were sent again ({wording.share(again, packets)})"
            if again
            else "no packet was sent again"
        )


def _http(evidence: Evidence) -> Iterator[str]:
    groups = [group for group in evidence.summary.groups if group.protocol == "HTTP"]
    answered = [group for group in groups if group.answer not in (UNREAD, NO_ANSWER)]
    total = sum(group.times for group in answered)
    good = sum(group.times for group in answered if not group.failed)
    if total:
        of = "" if good == total else f"{good:,} of "
        slowest = max(group.slowest or 0.0 for group in answered)
        took = f" (the slowest took {span(slowest)})" if slowest >= SLOW else ""
        yield f"{of}{count(total, 'HTTP request')} with a status below {_FIRST_HTTP_ERROR}{took}"
    waiting = sum(group.times for group in groups if group.answer == NO_ANSWER)
    if total and waiting:
        yield f"{count(waiting, 'HTTP request')} without an answer so far"


def _dns(evidence: Evidence) -> Iterator[str]:
    asked = [each for each in evidence.summary.exchanges if isinstance(each, DnsExchange)]
    answered = sum(each.rcode is not None for each in asked)
    if len(asked) == 1 and answered:
        yield "the one DNS question answered"
    elif asked and answered == len(asked):
        yield f"all of {count(len(asked), 'DNS question')} answered"
    elif answered:
        yield f"{answered:,} of {count(len(asked), 'DNS question')} answered, the others are too young"
