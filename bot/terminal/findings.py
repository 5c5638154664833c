"""Findings as lines of a terminal."""

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from bot.terminal.paint import Style
from bot.terminal.visible import visible
from bot.terminal.words import in_the_terminal
from workers.summary.finding import Finding
from workers.summary.table import WIDTH


def _plain(_style: Style, text: str) -> str:
    return text


def finding_lines(
    findings: Sequence[Finding], *, width: int = WIDTH, paint: Callable[[Style, str], str] = _plain
) -> Iterator[str]:
    """All of them, each with what to do, what shows it in Wireshark, what that says, and an empty line.

    Args:
        findings: The gravest first.
        width: Columns; filters are not wrapped, so that they can be copied.
        paint: Colours.
    """
    for finding in findings:
        severity = f"{finding.severity.upper()}:"
        first, *others = wrap(in_the_terminal(f"{severity} {finding.sentence}"), width) or [severity]
        yield paint(finding.severity, severity) + first.removeprefix(severity)
        yield from others
        if finding.next:
            told = in_the_terminal(f"next: {finding.next}")
            yield from wrap(told, width, initial_indent="  ", subsequent_indent="  ")
        if finding.display_filter:
            yield in_the_terminal(f"  Wireshark: {finding.display_filter}")
        for packet in finding.telling:
            said = visible(f"frame {packet.frame}, {packet.line}")
            yield from wrap(said, width, initial_indent="  ", subsequent_indent="    ")
        yield ""
