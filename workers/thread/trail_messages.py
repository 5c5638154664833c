"""What Slack shows of the audit trail. Pure.

Limits kept (Slack's Block Kit reference): 3,000 characters a section text, 50 blocks and about 13,200
characters a message.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from workers.ledger.capture import Capture
from workers.request.audit_question import AuditQuestion
from workers.request.duration import shown
from workers.request.quoting import inert
from workers.request.request import DEFAULT_CLUSTER, Target, TargetKind, named
from workers.request.since import shown_span
from workers.thread.messages import Message
from workers.thread.words import count
from workers.trail.entry import Entry, Head
from workers.trail.story import Story

MOST_STORIES = 20
"""How many captures an answer tells of."""

_ROOM = 12_000
_WHERE = 800


def closing_message(capture: Capture, head: Head) -> Message:
    """The last message of a capture's thread: the head of the trail, kept where nobody can rewrite it."""
    text = (
        f":lock: `{capture.id}` is over ({capture.state}). "
        f"The audit trail has {_entries(head)} now, its head is\n"
        f"`{head.hash}`\n"
        "`podcap audit verify --head` with it proves that nothing before was changed or removed."
    )
    block = {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
    return Message(text, [block])


def mirror_message(entries: Sequence[Entry]) -> tuple[Message, int]:
    """The next entries in the mirror channel, a line each; and how many of them it has room for."""
    lines = [_mirrored(entry) for entry in entries]
    fitting = _fitting(lines)
    blocks = [_section(line) for line in lines[:fitting]]
    return Message("\n".join(lines[:fitting]), blocks), fitting


def answer_message(question: AuditQuestion, stories: Sequence[Story], head: Head, *, more: bool) -> Message:
    """The answer to `/podcap audit …`: a line a capture, newest first, and the trail's head.

    Args:
        question: What was asked.
        stories: At most `MOST_STORIES`.
        head: The trail's head.
        more: Whether there are older captures than those.
    """
    lines = [_line(story) for story in stories]
    fitting = _fitting(lines)
    more, lines = more or fitting < len(lines), lines[:fitting]
    title = f"*{count(len(lines), 'capture')}*{' (the newest)' if more else ''}{_about(question)}"
    end = f"The audit trail has {_entries(head)}, its head is `{head.hash}`."
    if more:
        end = f"Older ones: name a pod or a shorter `since`, or use `podcap audit export`. {end}"
    blocks = [_section(title), *map(_section, lines), _section(end)]
    return Message("\n".join([title, *lines, end]), blocks)


def _mirrored(entry: Entry) -> str:
    # Somebody who alters the table can put values of any type there; the mirror goes on all the same.
    number, at, event, capture, _, _, by, _, digest = map(_text, entry)
    where = f" · `{inert(entry.about, limit=_WHERE)}`" if entry.about else ""
    return (
        f"`{inert(number)}` {inert(at[:19])}Z · *{inert(event)}*"
        f" · `{inert(capture or '-')}`{where} · by `{inert(by)}` · `{inert(digest)}`"
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _fitting(lines: Sequence[str]) -> int:
    """How many of the lines a message takes."""
    return sum(length <= _ROOM for length in accumulate(len(line) + 1 for line in lines))


def _entries(head: Head) -> str:
    return count(head.number, "entry", "entries")


def _about(question: AuditQuestion) -> str:
    words = []
    if question.capture_id is not None:
        words.append(f"with the id `{inert(question.capture_id)}`")
    if question.namespace is not None:
        words.append(f"of `{inert(question.namespace)}/{inert(question.pod or '', limit=253)}`")
    if question.since is not None:
        words.append(f"asked for within {shown_span(question.since)}")
    return f" {' '.join(words)}" if words else ""


def _line(story: Story) -> str:
    known = story.known
    wanted = str(known.get("filter") or "")
    parts = [
        f"{story.at[:10]} {story.at[11:16]} UTC  `{inert(story.capture_id)}`  {_who(story)}",
        f"`{inert(_what(story), limit=320)}`",
        shown(int(known["seconds"])) if isinstance(known.get("seconds"), int) else "",
        f"`{inert(wanted, limit=100)}`" if wanted else "every packet",
        "whole packets" if known.get("full") else "headers only",
        f"*{inert(story.state)}*{_outcome(known)}",
    ]
    return " · ".join(part for part in parts if part)


def _what(story: Story) -> str:
    if isinstance(story.known.get("targets"), str):
        return str(story.known["targets"])
    cluster = str(story.known.get("cluster", DEFAULT_CLUSTER))
    return named(Target(cluster, TargetKind.POD, story.namespace, story.pod))


def _who(story: Story) -> str:
    if story.known.get("origin", "slack") == "slack":
        return f"<@{inert(story.by)}>"
    return f"`{inert(story.by)}` at a terminal"


def _outcome(known: dict[str, Any]) -> str:
    if known.get("sentence"):
        # A sentence of podcap's own is harmless already.
        return f": {' '.join(str(known['sentence'])[:200].split())}"
    packets = known.get("packets")
    return f": {count(packets, 'packet')}" if isinstance(packets, int) else ""


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}
