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
    accepted: dict[Endpoint, list[float]] = defaultdict(list)
    for flow in evidence.summary.flows if ports else ():
        if flow.handshake is not None and flow.ends[1] in ports:
            accepted[flow.ends[1]].append(flow.start)
    for port, events in ports.items():
        clients = [event.target.address for event in events if event.target]
        who = wording.server(evidence.names, port)
        often = wording.many(len(events), "connection", least=more)
        before = sum(start < events[0].time for start in accepted[port])
        why = (
            f"it had accepted {wording.many(before, 'connection')} before, so its process ended or "
            "starts again"
            if before
            else f"nothing listens on port {port.port} there, or something in front of it rejects them"
        )
        peers = [(port, event.target) for event in events if event.target]
        yield Finding(
            ID,
            "critical",
            f"{who} refused {often} from {wording.hosts(evidence.names, clients)}: {why}.",
            {
                "times": len(events),
                "clients": len(set(clients)),
                "port": port.port,
                "accepted_before": before,
                "address": str(port),
            },
            filters.from_frame(events[0].frame, f"tcp.flags.reset == 1 && {filters.sent(peers)}"),
            events[0].frame,
            "Read that pod's log, also of the run before (`kubectl logs --previous`), and its restarts "
            "(`kubectl describe pod`)."
            if before
            else f"Check that a process listens on port {port.port} on all addresses (not only 127.0.0.1), "
            "and that the Service's `targetPort` is that port.",
        )
