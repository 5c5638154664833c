"""Nodes whose clocks are so far apart that packets of both cannot be put in order by their times. Pure."""

from collections.abc import Iterator

from workers.summary.finding import Finding
from workers.summary.findings import wording
from workers.thread.words import count
from workers.vantage.comparison import Offset
from workers.vantage.findings.between import Between, span

ID = "clocks-apart"

_APART = 10_000_000
"""Nanoseconds that are certain; packets between nodes of a cluster take less."""

_FAR_APART = 1_000_000_000
"""Nanoseconds from which on certificates, tokens and leases notice, too."""


def find(between: Between) -> Iterator[Finding]:
    """One for each pair of nodes."""
    for offset in between.offsets:
        least = certain(offset)
        if abs(least) >= _APART:
            yield _finding(between, offset, least)


def certain(offset: Offset) -> int:
    """Nanoseconds that the other clock is ahead for certain; negative where it is behind."""
    if offset.low is not None and offset.low > 0:
        return offset.low
    return offset.high if offset.high is not None and offset.high < 0 else 0


def _finding(between: Between, offset: Offset, least: int) -> Finding:
    ahead, behind = (offset.other, offset.node) if least > 0 else (offset.node, offset.other)
    most = offset.high if least > 0 else offset.low
    much = span(abs(least if offset.estimate is None else offset.estimate))
    said = count(offset.packets, "packet")
    by = (
        f"(at least: {said} that went one way only say so)"
        if most is None
        else f"(give or take {span(abs(most - least) // 2)}, by {said} seen on both)"
    )
    numbers = [each.number for each in between.vantages if each.node in (ahead, behind)]
    shown = " || ".join(f"frame.interface_id == {number}" for number in numbers[:10])
    return Finding(
        ID,
        "warning" if abs(least) >= _FAR_APART else "info",
        f"The clock of node {wording.quoted(ahead)} is {much} ahead of that of node {wording.quoted(behind)} "
        f"{by}: between them the order of packets in the file is wrong by so much.",
        {
            "times": offset.packets,
            "seconds": abs(least if offset.estimate is None else offset.estimate) / 1e9,
            "ahead": ahead,
            "behind": behind,
        },
        shown,
        None,
        "Let both nodes take the time from the same servers (`chronyc tracking`, `timedatectl`); until then "
        "read each interface of the file for itself.",
    )
