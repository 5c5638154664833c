"""What a message of a capture says in its metadata that it is, so that it is known again."""

from collections.abc import Mapping
from typing import Any

_EVENT = "podcap_capture"

HEAD = "message"
"""What a capture's own message is; all others are replies to it."""


def metadata(capture_id: str, what: str) -> dict[str, Any]:
    """For chat.postMessage: `HEAD`, or what distinguishes the message from the others in its thread."""
    return {"event_type": _EVENT, "event_payload": {"capture": capture_id, "what": what}}


def is_posted_as(message: Mapping[str, Any], what: str) -> str | None:
    """The capture of which a message that Slack tells is this; None when it is something else."""
    told = message.get("metadata", {})
    payload = told.get("event_payload", {})
    is_this = told.get("event_type") == _EVENT and payload.get("what") == what
    return str(payload["capture"]) if is_this else None
