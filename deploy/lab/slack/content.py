"""What a message says: `text`, `blocks`, `attachments`, `metadata`, checked as Slack checks them."""

import json
from dataclasses import dataclass
from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.workspace import Workspace

LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000
"""chat.update takes less than chat.postMessage (Slack's method reference, `msg_too_long`)."""

_LONGEST_MARKDOWN = 12_000
_MOST_ATTACHMENTS = 100
_LARGEST_METADATA = 8_000


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a message; None is a part that was not given."""

    text: str
    blocks: list[dict[str, Any]] | None
    attachments: list[Any] | None
    metadata: dict[str, Any] | None

    def fields(self) -> dict[str, Any]:
        """The parts as a message has them."""
        parts: dict[str, Any] = {"text": self.text}
        if self.blocks:
            parts["blocks"] = self.blocks
        if self.attachments:
            parts["attachments"] = self.attachments
        if self.metadata:
            parts["metadata"] = self.metadata
        return parts


def read(workspace: Workspace, arguments: Arguments, *, where: str, longest: int = LONGEST_TEXT) -> Content:
    """The content of a message.

    Args:
        workspace: For files that blocks show; a message without a `text` beside its blocks is noted.
        arguments: Of a method, or a JSON body of a response URL or an ack.
        where: Who said it, for the note.
        longest: Characters of `text`.

    Raises:
        SlackError: Slack would not take it.
    """
    text = arguments.text("text")
    markdown = arguments.text("markdown_text")
    blocks = arguments.json("blocks", "invalid_blocks_format")
    attachments = _attachments(workspace, arguments)
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > _LONGEST_MARKDOWN or len(text) > longest:
        raise SlackError("msg_too_long")
    if blocks is not None:
        blocks = workspace.check_blocks(blocks)
    if not (text.strip() or markdown.strip() or blocks or attachments):
        raise SlackError("no_text")
    if blocks and not text.strip():
        workspace.calls.object(
            f"{where}: a message with blocks has no text, which notifications and screen readers need"
        )
    return Content(text or markdown, blocks, attachments, _metadata(arguments))


def _attachments(workspace: Workspace, arguments: Arguments) -> list[Any] | None:
    attachments = arguments.json("attachments", "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > _MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        if "blocks" in attachment:
            workspace.check_blocks(attachment["blocks"])
    return attachments


def _metadata(arguments: Arguments) -> dict[str, Any] | None:
    metadata = arguments.json("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    well_formed = (
        isinstance(metadata, dict)
        and set(metadata) <= {"event_type", "event_payload", "entities"}
        and isinstance(metadata.get("event_type"), str)
        and metadata["event_type"]
        and isinstance(metadata.get("event_payload"), dict)
    )
    if not well_formed:
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > _LARGEST_METADATA:
        raise SlackError("metadata_too_large")
    return dict(metadata)
