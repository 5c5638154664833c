"""What a capture looks like in Slack: pure functions from a capture to a message.

Every message carries its whole content as `text`, too: screen readers and notifications read that.
Limits kept (Slack's Block Kit reference): 3,000 characters a section text, 50 blocks a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.ledger.capture import Capture
from workers.ledger.states import FINAL, WAITING, State
from workers.ledger.tap_record import TapRecord
from workers.parcel import Told
from workers.request.duration import LONGEST_SECONDS, shown
from workers.request.quoting import inert
from workers.spool.progress import Progress
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines, without_flows
from workers.thread.findings import finding_texts
from workers.thread.preview import confirmation, preview
from workers.thread.tap_lines import ended_early, nodes_of, tap_sections, taps_taken, where_looked
from workers.thread.words import bar, count, ordinal, size

STOP = "stop_capture"
"""The action id of the Stop button; its value is the capture's id."""

EXTEND = "extend_capture"
"""The action id of the button that lets a capture run longer; its value is the capture's id."""

APPROVE = "approve_capture"
DENY = "deny_capture"
"""The action ids of a second person's two buttons; their value is the capture's id."""

CONFIRM = "confirm_capture"
"""The action id of the asker's button, where so much is to be captured; its value is the capture's id."""

EXTEND_SECONDS = 30
"""How much longer, each time it is pressed."""

HEADERS_ONLY = "Headers only: what HTTP, DNS and TLS said needs `full`, where the policy allows it."

_SECTION = 3000
# Escaped, a character takes five at most.
_FILTER = 500
_TARGETS = 500

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Arguments of chat.postMessage or chat.update."""

    text: str
    blocks: list[Block]


def capture_message(
    capture: Capture,
    progress: Progress | None = None,
    *,
    queue_reachable: bool = True,
    taps: Sequence[TapRecord] = (),
) -> Message:
    """The one message of a capture in its channel, for any state.

    Args:
        capture: The capture.
        progress: How far it is, while it runs.
        queue_reachable: Whether a worker will hear of it.
        taps: Its taps as they are now; those of a capture of several are shown.
    """
    head = _head(capture, taps)
    if can_be_confirmed(capture):
        status = confirmation(capture, taps, until=_until(capture))
    else:
        status = _status(capture, progress, taps, queue_reachable=queue_reachable)
    several = [] if can_be_confirmed(capture) else tap_sections(taps)
    blocks = [_section(head), _section(status), *map(_section, several)]
    tap = capture.tap
    if tap:
        blocks.append(_context(inert(tap, limit=1000)))
    if can_be_stopped(capture):
        buttons = [
            *([_approve_button(capture), _deny_button(capture)] if can_be_approved(capture) else []),
            *([_confirm_button(capture)] if can_be_confirmed(capture) else []),
            _stop_button(capture),
            *([_extend_button(capture)] if can_be_extended(capture) else []),
        ]
        blocks.append({"type": "actions", "block_id": f"{capture.id}-actions", "elements": buttons})
    text = "\n".join(part for part in (head, status, *several, inert(tap, limit=1000) if tap else "") if part)
    return Message(text, blocks)


def can_be_stopped(capture: Capture) -> bool:
    """Whether pressing Stop still changes anything."""
    return capture.state in WAITING | {State.TAPPING, State.CAPTURING} and capture.stop_requested_by is None


def can_be_approved(capture: Capture) -> bool:
    """Whether it waits for a second person; the policy says for whom."""
    return capture.state is State.AWAITING_APPROVAL and capture.stop_requested_by is None


def can_be_confirmed(capture: Capture) -> bool:
    """Whether it waits for its asker to say that so much is meant."""
    return capture.state is State.AWAITING_CONFIRMATION and capture.stop_requested_by is None


def can_be_extended(capture: Capture) -> bool:
    """Whether it captures now and may go on for longer; the policy may still say no."""
    return (
        capture.state is State.CAPTURING
        and capture.stop_requested_by is None
        and capture.seconds + EXTEND_SECONDS <= LONGEST_SECONDS
    )


def thread_message(
    title: str, table: str, lines: list[str], notes: list[str], found: Sequence[str] = ()
) -> Message:
    """The summary in the thread: what was found, a sentence, the flow table, what was said, what to know.

    `table` is plain text with nothing in it for Slack to interpret; it is cut at whole lines to fit.
    """
    code = _fenced(table)
    said = "\n".join(f"• {line}" for line in lines)
    remarks = "\n".join(notes)
    blocks = [*map(_section, found), _section(title)]
    if table:
        blocks.append(_section(code))
    if said:
        blocks.append(_section(said))
    if remarks:
        blocks.append(_context(_cut(remarks)))
    parts = (*found, title, code if table else "", said, remarks)
    return Message("\n".join(part for part in parts if part), blocks)


def summary_message(summary: Summary) -> Message:
    """What was captured: what was found, the busiest flows, what was said, and what to know about it."""
    notes = [*summary.notes, *([] if summary.payload else [HEADERS_ONLY])]
    found = finding_texts(summary.findings)
    if summary.totals.packets == 0:
        return thread_message("*No packet* passed that the filter lets through.", "", [], notes, found)
    if not summary.flows:
        return thread_message(without_flows(summary.totals), "", said_lines(summary), notes, found)
    title = f"*{count(summary.flow_count, 'flow')}*, the busiest first"
    return thread_message(title, flow_table(summary), said_lines(summary), notes, found)


def told_message(told: Told) -> Message:
    """What is told besides the summary: tables in code blocks, then lines of logs."""
    sections = [*map(_fenced, told.tables), *([told.logs] if told.logs else [])]
    return Message("\n".join(sections), [_section(section) for section in sections])


def sentence_message(sentence: str) -> Message:
    """One sentence, for a reply that says only that."""
    return Message(sentence, [_section(sentence)])


def _head(capture: Capture, taps: Sequence[TapRecord]) -> str:
    what = "whole packets" if capture.full else "headers only"
    narrowed = f" · `{inert(capture.filter, limit=_FILTER)}`" if capture.filter else " · every packet"
    are = f": {inert(preview(taps), limit=300)}" if capture.targets is not None and taps else ""
    return (
        f"*Capture* `{capture.id}` of `{inert(capture.what, limit=_TARGETS)}`{are}\n"
        f"{shown(capture.seconds)}{narrowed} · {what} · asked for by <@{capture.user_id}>"
        + (f", approved by <@{capture.approved_by}>" if capture.approved_by else "")
    )


def _status(
    capture: Capture, progress: Progress | None, taps: Sequence[TapRecord], *, queue_reachable: bool
) -> str:
    if capture.stop_requested_by and capture.state not in FINAL:
        return f":octagonal_sign: Stopping, asked by <@{capture.stop_requested_by}>."
    if capture.state in _PHRASES:
        return _PHRASES[capture.state].format(where=where_looked(taps), nodes=nodes_of(taps))
    if capture.state in _MARKS:
        return f"{_MARKS[capture.state]} {capture.sentence}"
    if capture.state is State.CAPTURING:
        return _capturing(capture, progress)
    if capture.state in WAITING:
        return _waiting(capture, queue_reachable=queue_reachable)
    return _ended(capture, taps)


_PHRASES = {
    State.TAPPING: ":mag: Finding {where}.",
    State.COLLECTING: ":inbox_tray: Fetching the packets from {nodes}.",
    State.SUMMARISING: ":abacus: Summarising the flows.",
    State.DELIVERING: ":outbox_tray: Putting the file into the thread.",
}

_MARKS = {State.FAILED: ":x:", State.DENIED: ":no_entry:", State.EXPIRED: ":hourglass:"}


def _waiting(capture: Capture, *, queue_reachable: bool) -> str:
    if capture.state is State.AWAITING_APPROVAL:
        return f":raised_hand: Waiting for approval by {capture.waits_for}, until {_until(capture)}."
    if capture.place is not None and capture.waits_for:
        return (
            f":hourglass_flowing_sand: Waiting: {ordinal(capture.place)} in the queue, {capture.waits_for}."
        )
    if queue_reachable:
        return ":hourglass_flowing_sand: Waiting for a worker."
    return (
        ":warning: The queue cannot be reached. The capture starts by itself when it is back, "
        f"or expires at {_until(capture)}."
    )


def _until(capture: Capture) -> str:
    """When it stops to wait, in each reader's own time."""
    expires = int(capture.expires_at.timestamp())
    return f"<!date^{expires}^{{time}}|{capture.expires_at:%H:%M} UTC>"


def _capturing(capture: Capture, progress: Progress | None) -> str:
    if progress is None:
        return f":red_circle: Capturing {bar(0, 1)} 0 of {shown(capture.seconds)}"
    done = min(int(progress.seconds), capture.seconds)
    packets = "" if progress.packets is None else f" · {count(progress.packets, 'packet')}"
    return (
        f":red_circle: Capturing {bar(done, capture.seconds)} {done} of {shown(capture.seconds)}"
        f"{packets} · {size(progress.bytes)}"
    )


def _ended(capture: Capture, taps: Sequence[TapRecord]) -> str:
    stopped_by = f" by <@{capture.stop_requested_by}>" if capture.stop_requested_by else ""
    if capture.packets is None:
        return f":octagonal_sign: Stopped{stopped_by} before it began."
    mark = (
        ":octagonal_sign: Stopped" + stopped_by
        if capture.state is State.STOPPED
        else ":white_check_mark: Done"
    )
    ending = _ending(capture, taps) if capture.state is State.DELIVERED else ""
    where = (
        taps_taken(taps)
        if len(taps) > 1
        else f"at `{inert(capture.interface or '')}` on `{inert(capture.node or '', limit=253)}`"
    )
    return (
        f"{mark}: *{count(capture.packets, 'packet')}*, {size(capture.bytes or 0)}, "
        f"{capture.dropped or 0:,} dropped by the kernel, {where}.{ending} Flows and file are in the thread."
    )


def _ending(capture: Capture, taps: Sequence[TapRecord]) -> str:
    early = ended_early(capture.ended_by, taps)
    if capture.ended_by == "stopped":
        early = f"It was stopped early. {early}".rstrip()
    return f" {early}" if early else ""


def _approve_button(capture: Capture) -> Block:
    return {
        "type": "button",
        "action_id": APPROVE,
        "value": capture.id,
        "style": "primary",
        "text": {"type": "plain_text", "text": "Approve"},
        "accessibility_label": f"Approve capture {capture.id}",
    }


def _confirm_button(capture: Capture) -> Block:
    return {
        "type": "button",
        "action_id": CONFIRM,
        "value": capture.id,
        "style": "primary",
        "text": {"type": "plain_text", "text": "Capture"},
        "accessibility_label": f"Begin capture {capture.id} of all of them",
    }


def _deny_button(capture: Capture) -> Block:
    return {
        "type": "button",
        "action_id": DENY,
        "value": capture.id,
        "text": {"type": "plain_text", "text": "Deny"},
        "accessibility_label": f"Deny capture {capture.id}",
    }


def _stop_button(capture: Capture) -> Block:
    return {
        "type": "button",
        "action_id": STOP,
        "value": capture.id,
        "style": "danger",
        "text": {"type": "plain_text", "text": "Cancel" if can_be_confirmed(capture) else "Stop"},
        "accessibility_label": f"Stop capture {capture.id} and keep what it has",
    }


def _extend_button(capture: Capture) -> Block:
    return {
        "type": "button",
        "action_id": EXTEND,
        "value": capture.id,
        "text": {"type": "plain_text", "text": f"+{shown(EXTEND_SECONDS)}"},
        "accessibility_label": f"Let capture {capture.id} run {EXTEND_SECONDS} seconds longer",
    }


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text)}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _cut(text: str) -> str:
    return text if len(text) <= _SECTION else text[: _SECTION - 1].rsplit("\n", 1)[0] + "\n…"


def _fenced(table: str) -> str:
    room = _SECTION - len("```\n\n…\n```")
    if len(table) > room:
        table = table[:room].rsplit("\n", 1)[0] + "\n…"
    return f"```\n{table}\n```"
