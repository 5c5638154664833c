"""Packets that the kernel dropped before they were captured, and what that does to other findings. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from workers.summary.finding import Evidence, Finding
from workers.summary.findings import wording

ID = "dropped"

DOUBTED = frozenset(
    (
        "retransmissions",
        "unanswered",
        "one-way",
        "mtu-blackhole",
        "dns-unanswered",
        "tls-no-answer",
        "tls-plain-http",
        "request-unanswered",
        "neighbour-absent",
    )
)
"""Findings that rest on packets which are not in the file: those may be among the dropped."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """One, when the kernel dropped anything."""
    dropped = evidence.context.dropped
    if not dropped:
        return
    captured = evidence.summary.totals.packets
    passed = dropped + captured
    yield Finding(
        ID,
        "warning",
        f"The kernel dropped {dropped:,} of {passed:,} packets ({wording.share(dropped, passed)}) because "
        "they came "
        "faster than they were written: they are not in the file, and what rests on missing packets is "
        "uncertain.",
        {"times": dropped, "packets": passed, "share": round(dropped / passed, 6)},
        next="Capture again with a narrower filter, or headers only, which is less to write.",
    )


def doubted(findings: Iterable[Finding], evidence: Evidence) -> Iterator[Finding]:
    """The same; those that rest on missing packets say so, and are no more than a warning."""
    dropped = evidence.context.dropped
    for finding in findings:
        if not dropped or finding.id not in DOUBTED:
            yield finding
            continue
        doubt = f" This is uncertain: the kernel dropped {wording.many(dropped, 'packet')} of this capture."
        milder = "warning" if finding.severity == "critical" else finding.severity
        numbers = {**finding.numbers, "dropped": dropped}
        yield replace(finding, severity=milder, sentence=finding.sentence + doubt, numbers=numbers)
