"""Captures without a packet. Pure."""

from collections.abc import Iterator

from workers.request.quoting import inert
from workers.summary.finding import Evidence, Finding
from workers.thread.words import count

ID = "nothing-captured"

TELLING = 10
"""Packets that the interface counted: fewer may have passed before tcpdump listened, or after it had "
"ended."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One, when there is no packet; how grave it is depends on whether any passed."""
    if evidence.summary.totals.packets:
        return
    moved, wanted = evidence.context.moved, evidence.context.filter
    numbers: dict[str, float | int | str] = {} if moved is None else {"moved": moved}
    if moved and wanted:
        yield Finding(
            ID,
            "warning",
            f"{count(moved, 'packet')} passed the interface meanwhile, and the filter let none of them "
            "through.",
            {**numbers, "filter": inert(wanted, 500)},
            next="Capture again without a filter, or look whether the port is the pod's own (`targetPort`), "
            "not the Service's.",
        )
    elif moved and moved >= TELLING:
        yield Finding(
            ID,
            "critical",
            f"No packet was captured, although {count(moved, 'packet')} passed the interface meanwhile: "
            "the tap does "
            "not see this pod's traffic.",
            numbers,
            next="Ask whoever runs podcap to allow `namespace_tap: true` in the policy, and capture again.",
        )
    elif moved is not None:
        yield Finding(
            ID,
            "info",
            "No packet was captured, and next to none passed the interface meanwhile: nobody talked to "
            "this pod, nor "
            "it to anybody.",
            numbers,
            next="Capture for longer, or while somebody uses it; check that its Service selects this pod.",
        )
