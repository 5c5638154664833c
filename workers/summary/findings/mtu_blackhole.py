"""Large segments that are lost again and again while small ones pass. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from workers.summary.event import Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.flow import Flow
from workers.summary.table import span

ID = "mtu-blackhole"

LARGE = 1_200
"""Bytes of payload from which on a segment may be too big where an MTU is too small: IPv6's least MTU, 1,280,
without its headers."""

TRIES = 4
"""Times that a connection's large segments were sent again, and nothing else of it."""

LASTING = 1.0
"""Seconds over which they were: a burst of losses is over earlier."""

SAME_SEGMENTS = 20
"""Large segments at most: a sender without any confirmation stops after its window (ten segments, RFC 6928,
and some more after small answers) and one that probes for a loss at its end (RFC 8985, 7)."""

SMALL = 4_000
"""Bytes of stream before them, in segments that pass: headers, short answers."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each sender and receiver: several connections with it, or one beside a healthy one."""
    for (sender, receiver), stuck in _lost(evidence):
        first = min(event.frame for event, _ in stuck)
        tries = sum(flow.retransmitted_ab + flow.retransmitted_ba for _, flow in stuck)
        longest = max(flow.duration for _, flow in stuck)
        shown = f"tcp.analysis.retransmission && tcp.len >= {LARGE} && {filters.address(sender, 'src')}"
        names = evidence.names
        yield Finding(
            ID,
            "critical",
            f"Large packets of {wording.host(names, sender)} to {wording.host(names, receiver)} seem to "
            "vanish: "
            f"{wording.many(len(stuck), 'connection')} sent segments of {LARGE:,} bytes and more again "
            f"{tries:,} "
            f"times over up to {span(longest)} and came no further, while small packets passed.",
            {"times": tries, "connections": len(stuck), "clients": len(stuck), "seconds": longest},
            filters.from_frame(first, f"{shown} && {filters.flows(flow for _, flow in stuck)}"),
            first,
            "Try `ping -M do -s 1400` between the two, lower the pod network's MTU to what fits its "
            "tunnel, and "
            "let ICMP `fragmentation needed` through.",
        )


def told(evidence: Evidence) -> set[int | None]:
    """The places of the flows that are told of."""
    return {event.flow for _, stuck in _lost(evidence) for event, _ in stuck}


def _lost(evidence: Evidence) -> Iterator[tuple[tuple[str, str], list[tuple[Event, Flow]]]]:
    """Sender and receiver, and each connection with its first retransmission."""
    found: dict[tuple[str, str], list[tuple[Event, Flow]]] = defaultdict(list)
    for flow, events in _stuck(evidence):
        side = events[0].side
        ends = (flow.a.address, flow.b.address) if side == "a" else (flow.b.address, flow.a.address)
        found[ends].append((events[0], flow))
    for ends, stuck in found.items():
        if len(stuck) > 1 or _healthy_beside(evidence, *ends):
            yield ends, stuck


def _stuck(evidence: Evidence) -> Iterator[tuple[Flow, list[Event]]]:
    flows: dict[int, list[Event]] = defaultdict(list)
    for event in evidence.summary.events:
        if event.kind == "retransmission" and event.flow is not None and event.side is not None:
            flows[event.flow].append(event)
    for index, events in flows.items():
        flow = evidence.summary.flows[index]
        forth = events[0].side == "a"
        again, others = flow.retransmitted_ab, flow.retransmitted_ba
        sent = flow.payload_ab
        if not forth:
            again, others, sent = others, again, flow.payload_ba
        last = max(event.time + event.numbers.get("seconds", 0.0) for event in events)
        if (
            flow.handshake is not None
            and again >= TRIES
            and not others
            and all(event.numbers.get("smallest", 0) >= LARGE for event in events)
            and sent <= SAME_SEGMENTS * events[0].numbers["smallest"] + SMALL
            and last - events[0].time >= LASTING
        ):
            yield flow, events


def _healthy_beside(evidence: Evidence, one: str, other: str) -> bool:
    """Whether another connection of the two had small answers both ways and no trouble."""
    return any(
        {flow.a.address, flow.b.address} == {one, other}
        and flow.payload_ab
        and flow.payload_ba
        and not flow.retransmitted_ab
        and not flow.retransmitted_ba
        for flow in evidence.summary.flows
        if flow.protocol == "TCP"
    )
