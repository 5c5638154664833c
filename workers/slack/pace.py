"""Slack's pace: about a message a second in a channel; who was refused waits as long as Slack says.

Ten threads that post into one channel would have each other refused again and again, until one gives up. So
the threads of a process post into a channel one after the other.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

_channels: dict[str, threading.Lock] = {}
_known = threading.Lock()


class PacedClient(WebClient):
    """A client whose messages keep a channel's order of arrival."""

    def chat_postMessage(self, *, channel: str, **arguments: Any) -> SlackResponse:  # noqa: N802, slack_sdk's name, and everything here is named
        """Posts when no other thread of this process is at it in this channel."""
        with _alone(channel):
            return super().chat_postMessage(channel=channel, **arguments)


@contextmanager
def _alone(channel: str) -> Iterator[None]:
    with _known:
        lock = _channels.setdefault(channel, threading.Lock())
    with lock:
        yield
