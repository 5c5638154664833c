"""Findings as lines of a terminal."""

from collections.abc import Iterator, Sequence

from bot.terminal.words import in_the_terminal
from workers.summary.finding import Finding


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """All of them, each with what to do, what shows it in Wireshark and an empty line behind."""
    for finding in findings:
        yield in_the_terminal(f"{finding.severity.upper()}: {finding.sentence}")
        if finding.next:
            yield in_the_terminal(f"  next: {finding.next}")
        if finding.display_filter:
            yield in_the_terminal(f"  Wireshark: {finding.display_filter}")
        yield ""
