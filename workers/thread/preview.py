"""What a request comes to before it begins: how many pods on how many nodes. Pure."""

from collections import Counter
from collections.abc import Sequence

from workers.ledger.capture import Capture
from workers.ledger.tap_record import TapKind, TapRecord
from workers.request.quoting import inert
from workers.thread.words import count

_SHOWN_NODES = 25


def preview(taps: Sequence[TapRecord]) -> str:
    """`3 pods on 3 nodes`, `3 pods and 2 uplinks on 3 nodes`, `the uplink of node1`."""
    pods = sum(1 for tap in taps if tap.kind is TapKind.POD)
    uplinks = [tap for tap in taps if tap.kind is TapKind.UPLINK]
    if not pods and len(uplinks) == 1:
        return f"the uplink of {uplinks[0].node}"
    parts = [
        *([count(pods, "pod")] if pods else []),
        *([count(len(uplinks), "uplink")] if uplinks else []),
    ]
    return f"{' and '.join(parts)} on {count(len({tap.node for tap in taps if tap.node}), 'node')}"


def on_each_node(taps: Sequence[TapRecord]) -> list[str]:
    """A line for each node, those with the most taps first: `node1: 12 pods, its uplink`."""
    pods = Counter(tap.node or "" for tap in taps if tap.kind is TapKind.POD)
    uplinks = {tap.node or "" for tap in taps if tap.kind is TapKind.UPLINK}
    nodes = sorted({*pods, *uplinks}, key=lambda node: (-pods[node], node))
    lines = []
    for node in nodes[:_SHOWN_NODES]:
        what = [
            *([count(pods[node], "pod")] if pods[node] else []),
            *(["its uplink"] if node in uplinks else []),
        ]
        lines.append(f"{node or 'no node yet'}: {', '.join(what)}")
    if len(nodes) > _SHOWN_NODES:
        lines.append(f"and {count(len(nodes) - _SHOWN_NODES, 'more node', 'more nodes')}")
    return lines


def confirmation(capture: Capture, taps: Sequence[TapRecord], *, until: str) -> str:
    """What the asker is asked, for Slack; `until` is when they must have said so, as Slack shows times."""
    nodes = "\n".join(f"• {inert(line, limit=300)}" for line in on_each_node(taps))
    return f":grey_question: All of these, <@{capture.user_id}>? Press *Capture* until {until}.\n{nodes}"
