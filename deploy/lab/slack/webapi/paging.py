"""Pages with a cursor."""

import base64
import binascii
from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError


def page(items: list[Any], arguments: Arguments, *, default: int = 100) -> tuple[list[Any], dict[str, Any]]:
    """One page of a list.

    Returns:
        Its items, and `response_metadata` with a `next_cursor` that is empty on the last page.

    Raises:
        SlackError: `invalid_cursor` or `invalid_limit`.
    """
    start = _offset(arguments.text("cursor"))
    end = start + arguments.limit(default)
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"response_metadata": {"next_cursor": following}}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word == "next" and number.isdigit():
            return int(number)
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise SlackError("invalid_cursor")
