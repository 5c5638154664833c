"""Connections that were answered with a reset at once. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.event import MOST_OF_A_KIND, Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "refused"


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each port that refuses; once is enough, because no healthy port does."""
    ports: dict[Endpoint, list[Event]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind == "refused" and event.source and event.target:
            ports[event.source].append(event)
    more = evidence.summary.event_counts.get("refused", 0) > MOST_OF_A_KIND
    for port, events in ports.items():
        clients = [event.target.address for event in events if event.target]
        who = wording.server(evidence.names, port)
        often = wording.many(len(events), "connection", least=more)
        peers = [(port, event.target) for event in events if event.target]
        yield Finding(
            ID,
            "critical",
            f"{who} refused {often} from {wording.hosts(evidence.names, clients)}: nothing listens on port "
            f"{port.port} there, or something in front of it rejects them.",
            {"times": len(events), "clients": len(set(clients)), "port": port.port, "address": str(port)},
            filters.from_frame(events[0].frame, f"tcp.flags.reset == 1 && {filters.sent(peers)}"),
            events[0].frame,
            f"Check that a process listens on port {port.port} on all addresses (not only 127.0.0.1), and "
            "that "
            "the Service's `targetPort` is that port.",
        )
