"""Connections that nothing answered. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.event import MOST_OF_A_KIND, Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, icmp_error, wording
from workers.summary.table import span

ID = "unanswered"

PATIENCE = 1.0
"""Seconds after which a SYN is sent again (RFC 6298, 2.1): a single one that is younger when the capture ends
may be answered still."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server."""
    servers: dict[Endpoint, list[Event]] = defaultdict(list)
    end = evidence.summary.totals.duration
    # What ICMP says of a connection is the reason, told by that finding.
    explained = icmp_error.told(evidence)
    for event in evidence.summary.events:
        waited = event.numbers.get("tries", 0) > 1 or end - event.time >= PATIENCE
        if event.kind != "unanswered" or event.flow in explained or not waited:
            continue
        if event.source and event.target:
            servers[event.target].append(event)
    more = evidence.summary.event_counts.get("unanswered", 0) > MOST_OF_A_KIND
    answered = Counter(
        flow.ends[1]
        for flow in (evidence.summary.flows if servers else ())
        if flow.handshake is not None and flow.ends[1] in servers
    )
    for server, events in servers.items():
        clients = [event.source.address for event in events if event.source]
        tries = int(sum(event.numbers.get("tries", 1) for event in events))
        longest = max(event.numbers.get("seconds", 0.0) for event in events)
        often = wording.many(len(events), "connection", least=more)
        tried = f" (tried {tries:,} times, for up to {span(longest)})" if tries > len(events) else ""
        peers = [(event.source, server) for event in events if event.source]
        syn = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
        others = answered[server]
        why = (
            f"it answered {wording.many(others, 'other')}, so its application accepts too slowly (its listen "
            "queue is full), or packets are dropped for some only"
            if others
            else "packets to it or its answers are dropped, by a NetworkPolicy or a firewall, or nobody has "
            "that address"
        )
        yield Finding(
            ID,
            "critical",
            f"{wording.server(evidence.names, server)} did not answer {often} from "
            f"{wording.hosts(evidence.names, clients)}{tried}: {why}.",
            {
                "times": len(events),
                "clients": len(set(clients)),
                "tries": tries,
                "seconds": longest,
                "answered": others,
                "address": str(server),
            },
            filters.from_frame(events[0].frame, f"{syn} && {filters.sent(peers)}"),
            events[0].frame,
            "Look in the server's pod whether `nstat -az TcpExtListenOverflows` grows; then at its CPU "
            "limits (throttling), its accept loop and its backlog (`net.core.somaxconn`)."
            if others
            else "Capture at the other end as well: if the SYN arrives there, its answer is lost, else the "
            f"SYN; then look for a NetworkPolicy that leaves out port {server.port}.",
        )
