"""Applications that do not read what they are sent. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.event import Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.table import span

ID = "zero-window"

LEAST = 2
"""Windows of nothing: a single one passes, because the next packet opens it again."""

LASTING = 0.1
"""Seconds in all, or `TIMES`: a receiver of a fast stream is full for a moment now and then."""

TIMES = 3
"""Times with a second or a new beginning between them."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each address that took nothing more."""
    sides: dict[str, list[Event]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind == "zero-window" and event.source and event.target:
            sides[event.source.address].append(event)
    for address, events in sides.items():
        times = int(sum(event.numbers.get("segments", 1) for event in events))
        lasting = sum(event.numbers.get("seconds", 0.0) for event in events)
        if times < LEAST or (lasting < LASTING and len(events) < TIMES):
            continue
        peers = [event.target.address for event in events if event.target]
        longest = max(event.numbers.get("seconds", 0.0) for event in events)
        long = f", for up to {span(longest)} on end" if longest else ""
        pairs = [(event.source, event.target) for event in events if event.source and event.target]
        shown = f"tcp.analysis.zero_window && {filters.sent(pairs)}"
        yield Finding(
            ID,
            "warning",
            f"{wording.host(evidence.names, address)} took nothing more {times:,} times, of "
            f"{wording.hosts(evidence.names, peers)}{long}: its application does not read its socket as "
            "fast as it "
            "is sent to. The network is not what is slow.",
            {
                "times": times,
                "clients": len(set(peers)),
                "seconds": longest,
                "connections": len({event.flow for event in events}),
            },
            filters.from_frame(events[0].frame, shown),
            events[0].frame,
            "Look at what that application waits for: CPU limits (throttling), locks, a slow disk or a slow "
            "server behind it.",
        )
