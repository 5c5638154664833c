"""Findings as they stand in a thread: pure functions from findings to mrkdwn.

A message takes some 13,000 characters (Slack's limit for all its blocks), of which the flow table and what
was said may need half.
"""

from collections.abc import Iterator, Sequence

from workers.request.quoting import inert, verbatim
from workers.summary.finding import Finding
from workers.thread.words import count

MOST = 8
"""Findings in one message."""

_ROOM = 6_000
_LONGEST_SENTENCE, _LONGEST_NEXT, _LONGEST_FILTER = 900, 300, 400
_LONGEST_PACKET = 200
_MARKS = {"critical": ":red_circle:", "warning": ":warning:", "info": ":information_source:"}
_HEALTHY = ":white_check_mark:"


def finding_texts(findings: Sequence[Finding]) -> list[str]:
    """One text for each of the first findings, as long as there is room, and how many are left."""
    texts: list[str] = []
    room = _ROOM
    for finding in findings[:MOST]:
        lines = list(_lines(finding))
        text = "\n".join(lines) if len("\n".join(lines)) <= room else lines[0]
        if len(text) > room:
            break
        room -= len(text)
        texts.append(text)
    # What is left of the room is for what Wireshark says; it takes the place of no finding.
    for number, finding in enumerate(findings[: len(texts)]):
        said = "".join(f"\n{line}" for line in _packets(finding))
        if len(said) <= room:
            texts[number] += said
            room -= len(said)
    left = len(findings) - len(texts)
    if left:
        texts.append(f"… and {count(left, 'finding')} more: `podcap summarize FILE` shows all of them.")
    return texts


def _lines(finding: Finding) -> Iterator[str]:
    mark = _HEALTHY if finding.id == "healthy" else _MARKS[finding.severity]
    yield f"{mark} {_cut(finding.sentence, _LONGEST_SENTENCE)}"
    if finding.next:
        yield f"→ {_cut(finding.next, _LONGEST_NEXT)}"
    if finding.display_filter and len(finding.display_filter) <= _LONGEST_FILTER:
        yield f"In Wireshark: `{verbatim(finding.display_filter)}`"
    elif finding.frame is not None:
        yield f"In Wireshark: frame {finding.frame:,}"


def _packets(finding: Finding) -> Iterator[str]:
    for packet in finding.telling:
        yield f"Frame {packet.frame:,}: `{inert(packet.brief, _LONGEST_PACKET)}`"


def _cut(text: str, limit: int) -> str:
    """At a word's end, with backticks in pairs, so that nothing behind it becomes code."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 2].rsplit(" ", 1)[0]
    return f"{cut}{'`' if cut.count('`') % 2 else ''}…"
