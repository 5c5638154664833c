"""A capture that a limit ended. Pure."""

from collections.abc import Iterator

from workers.summary.finding import Evidence, Finding
from workers.summary.table import span

ID = "cut-short"


def find(evidence: Evidence) -> Iterator[Finding]:
    """One, when a limit of bytes or packets ended the capture."""
    limit = evidence.context.cut_by
    if limit is None:
        return
    totals = evidence.summary.totals
    yield Finding(
        ID,
        "info",
        f"The capture ended early, at its limit of {limit}, after {totals.packets:,} packets in "
        f"{span(totals.duration)}: what happened later is not in the file.",
        {"packets": totals.packets, "bytes": totals.bytes, "seconds": totals.duration},
        next="Narrow the filter so that the limit lasts for the time you want.",
    )
