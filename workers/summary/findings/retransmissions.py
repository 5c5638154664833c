"""Segments that were sent again. Pure."""

from collections.abc import Iterator

from workers.summary.event import Event
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, icmp_error, mtu_blackhole, wording
from workers.summary.flow import Flow

ID = "retransmissions"

LEAST = 3
"""Segments sent again: one or two are an accident on any network."""

NOTABLE = 0.01
"""Share of a sender's segments from which on TCP's throughput suffers visibly (Mathis et al., 1997: it falls
with the root of the loss)."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each sender whose segments had to be sent again."""
    if not evidence.summary.event_counts.get("retransmission"):
        return
    # What is too big for the way is sent again, in smaller pieces: ICMP says so, and that finding.
    explained = icmp_error.told(evidence) | mtu_blackhole.told(evidence)
    sent: dict[str, list[int]] = {}
    for place, flow in enumerate(evidence.summary.flows):
        if flow.protocol == "TCP" and place not in explained and not _only_knocks(flow):
            for address, again, packets in (
                (flow.a.address, flow.retransmitted_ab, flow.packets_ab),
                (flow.b.address, flow.retransmitted_ba, flow.packets_ba),
            ):
                known = sent.setdefault(address, [0, 0, 0])
                known[0] += again
                known[1] += packets
                known[2] += bool(again)
    seen: dict[str, list[Event]] = {}
    for event in evidence.summary.events:
        if event.kind != "retransmission" or event.flow is None or event.flow in explained:
            continue
        if event.source and event.target and not _only_knocks(evidence.summary.flows[event.flow]):
            seen.setdefault(event.source.address, []).append(event)
    for address, (again, packets, connections) in sent.items():
        events = seen.get(address, [])
        if again < LEAST or again < packets * NOTABLE or not events:
            continue
        peers = [event.target.address for event in events if event.target]
        pairs = [(event.source, event.target) for event in events if event.source and event.target]
        analysed = " || ".join(f"tcp.analysis.{kind}" for kind in _ANALYSED)
        shown = f"({analysed}) && {filters.sent(pairs)}"
        yield Finding(
            ID,
            "warning",
            f"{wording.host(evidence.names, address)} sent {again:,} of {packets:,} packets again "
            f"({wording.share(again, packets)}), to {wording.hosts(evidence.names, peers)}: packets in that "
            "direction, or what confirms them, are lost on the way.",
            {
                "times": again,
                "packets": packets,
                "share": round(again / packets, 6),
                "connections": connections,
                "clients": len(set(peers)),
            },
            filters.from_frame(events[0].frame, shown),
            events[0].frame,
            "Capture at the other end as well to see on which side of the way they are lost; on the node "
            "look at "
            "the interface's drops (`ip -s link`).",
        )


# Wireshark calls quick ones out of order.
_ANALYSED = ("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order")


def _only_knocks(flow: Flow) -> bool:
    """Whether it is nothing but a SYN, repeated: that is another finding."""
    return not flow.packets_ba and flow.packets_ab <= flow.syns_ab
