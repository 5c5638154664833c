"""All findings of a capture. Pure."""

from workers.names.form import from_json
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.summary.context import Context
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import (
    call_failure,
    cut_short,
    dns_failure,
    dns_search,
    dns_slow,
    dns_unanswered,
    dropped,
    grpc_failure,
    healthy,
    http_slow,
    http_status,
    icmp_error,
    mtu_blackhole,
    neighbours,
    nothing_captured,
    one_way,
    refused,
    request_unanswered,
    reset,
    retransmissions,
    source_rewritten,
    tls_certificate,
    tls_failure,
    unanswered,
    zero_window,
)
from workers.summary.findings.ranking import ranked
from workers.summary.summary import Summary

FOUND_BY = {
    "source-rewritten": source_rewritten.find,
    "refused": refused.find,
    "unanswered": unanswered.find,
    "reset": reset.find,
    "retransmissions": retransmissions.find,
    "mtu-blackhole": mtu_blackhole.find,
    "mtu": icmp_error.find,
    "icmp-error": icmp_error.find,
    "zero-window": zero_window.find,
    "one-way": one_way.find,
    "neighbour-absent": neighbours.find,
    "neighbour-conflict": neighbours.find,
    "dns-failure": dns_failure.find,
    "dns-unanswered": dns_unanswered.find,
    "dns-search-domains": dns_search.find,
    "dns-slow": dns_slow.find,
    "http-server-error": http_status.find,
    "http-client-error": http_status.find,
    "http-slow": http_slow.find,
    "request-unanswered": request_unanswered.find,
    "grpc-failure": grpc_failure.find,
    "tls-failure": tls_failure.find,
    "tls-no-answer": tls_failure.find,
    "tls-plain-http": tls_failure.find,
    "tls-certificate": tls_certificate.find,
    "call-failure": call_failure.find,
    "nothing-captured": nothing_captured.find,
    "dropped": dropped.find,
    "cut-short": cut_short.find,
    "healthy": healthy.find,
}
"""Each finding's id, and what finds it; docs/findings.md says when."""


def evidence(summary: Summary, context: Context) -> Evidence:
    """What findings are made of; of the cluster what concerns the flows' addresses."""
    if context.cluster is None:
        return Evidence(summary, context)
    addresses = {end.address for flow in summary.flows for end in (flow.a, flow.b)}
    cluster: Snapshot = from_json(dict(context.cluster)).only(addresses)
    return Evidence(summary, context, cluster, Names(cluster))


def found(given: Evidence) -> tuple[Finding, ...]:
    """All of them, ranked; where none is a warning or worse, that the capture is healthy and why."""
    finders = dict.fromkeys(find for name, find in FOUND_BY.items() if name != healthy.ID)
    every = [each for find in finders for each in find(given)]
    if all(each.severity == "info" for each in every) and not given.context.dropped:
        every += healthy.find(given)
    return ranked(dropped.doubted(every, given))
