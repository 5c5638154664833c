"""Messages that Slack tells page by page."""

from collections.abc import Callable, Iterator
from typing import Any

from slack_sdk.web import SlackResponse

PAGE = 100
_MOST_PAGES = 5


def messages(ask: Callable[[str], SlackResponse]) -> Iterator[dict[str, Any]]:
    """Those of the first pages, 500 at most.

    Args:
        ask: Gives the page of `PAGE` messages that a cursor stands for; "" is the first.

    Raises:
        What `ask` raises.
    """
    cursor = ""
    for _ in range(_MOST_PAGES):
        answer = ask(cursor)
        yield from answer["messages"]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
        if not cursor:
            return
