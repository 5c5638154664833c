"""A refusal of Slack's Web API."""

from typing import Any


class SlackError(Exception):
    """Slack answers `{"ok": false, "error": CODE}`.

    Attributes:
        code: Slack's error code, such as `channel_not_found`.
        extra: Further fields of the answer, such as `needed` and `provided`, or `response_metadata`.
    """

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"ok": False, "error": self.code, **self.extra}


def invalid_arguments(*messages: str) -> SlackError:
    """The refusal of arguments that are missing or of the wrong form, with Slack's way of naming them."""
    return SlackError(
        "invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]}
    )
