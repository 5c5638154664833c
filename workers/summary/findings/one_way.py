"""Connections of which only one direction was captured. Pure."""

import re
from collections.abc import Iterator

from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "one-way"

LEAST_PACKETS = 3
"""Packets of a direction that go on without the other's: what was sent is taken, as TCP goes on only then."""

_DIRECTED = re.compile(r"\b(src|dst|inbound|outbound)\b")


def find(evidence: Evidence) -> Iterator[Finding]:
    """One, about all of them; none where the capture filter asks for one direction itself."""
    if _DIRECTED.search(evidence.context.filter):
        return
    found = [
        flow
        for flow in evidence.summary.flows
        if not flow.packets_ba
        and flow.packets_ab >= LEAST_PACKETS
        and flow.protocol == "TCP"
        and flow.packets_ab > flow.syns_ab + flow.resets_ab
        and flow.payload_ab
    ]
    if not found:
        return
    total = sum(flow.protocol == "TCP" for flow in evidence.summary.flows)
    senders = [flow.a.address for flow in found]
    frame = min(flow.first_frame for flow in found)
    yield Finding(
        ID,
        "warning",
        f"Only one direction was captured of {len(found):,} of {wording.many(total, 'TCP connection')}, what "
        f"{wording.hosts(evidence.names, senders)} sent, and yet they go on: the other direction takes a "
        "way that "
        "this tap does not see (asymmetric routing, or a datapath that goes past the interface).",
        {"times": len(found), "connections": total, "clients": len(set(senders))},
        filters.from_frame(frame, filters.flows(found)),
        frame,
        "Do not judge by missing answers here; tap inside the pod's network namespace where the policy "
        "allows it.",
    )
