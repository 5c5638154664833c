"""DNS questions without an answer. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.dns_search import asked

ID = "dns-unanswered"

PATIENCE = 5.0
"""Seconds after which a resolver asks again (resolv.conf(5), timeout): what was asked once and later than so
many before the capture's end may be answered still."""

_MULTICAST = 5353


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server."""
    end = evidence.summary.totals.duration
    servers: dict[Endpoint, list[DnsExchange]] = defaultdict(list)
    # Resolvers ask again from another port, with another number.
    repeated = Counter((each.client.address, each.server, each.name, each.type) for each in asked(evidence))
    for each in asked(evidence):
        again = each.times > 1 or repeated[each.client.address, each.server, each.name, each.type] > 1
        waited = again or end - each.start >= PATIENCE
        if each.rcode is None and waited and each.server.port != _MULTICAST:
            servers[each.server].append(each)
    for server, lost in servers.items():
        names = Counter(wording.quoted(each.name) for each in lost)
        clients = [each.client.address for each in lost]
        total = sum(each.server == server for each in asked(evidence))
        first = lost[0]
        protocol = first.transport.lower()
        pairs = [(each.client, each.server) for each in lost if each.transport == first.transport]
        yield Finding(
            ID,
            "critical",
            f"{wording.server(evidence.names, server)} did not answer {len(lost):,} of {total:,} DNS "
            "questions, for "
            f"{wording.some(names)} from {wording.hosts(evidence.names, clients)}: whoever asks waits 5 s "
            "each time, as resolvers do unless told otherwise.",
            {"times": len(lost), "clients": len(set(clients)), "questions": total},
            filters.from_frame(
                first.frame, f"dns.flags.response == 0 && {filters.connections(pairs, protocol)}"
            ),
            first.frame,
            "Check that the cluster's DNS pods are ready, and that NetworkPolicies let port 53 through, "
            "UDP and "
            "TCP.",
        )
