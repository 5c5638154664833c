"""Which captures have their message in a channel already: its history, of which every part is read once.

Slack answers 50 questions for a history a minute. Were all of it read for each of two hundred captures whose
message somebody may have posted before, they would wait for that longer than for their messages.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from workers.ledger.capture import Capture
from workers.thread.pages import PAGE, messages
from workers.thread.posted import HEAD, is_posted_as

# Slack's clock and the ledger's may differ.
_BEFORE = timedelta(minutes=5).total_seconds()
# What was posted a moment before the last message that was read may have come to the history after it.
_AGAIN = 5.0
# Longer than a request waits for its message.
_KEPT = 3600.0


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a channel: from when until when, and the messages of captures by their ids."""

    since: float
    until: float
    heads: Mapping[str, str]


class Heads:
    """The messages of captures in the channels of a workspace; safe to share between threads."""

    def __init__(self, reading: WebClient) -> None:
        self._reading = reading
        self._read: dict[str, _Read] = {}
        self._lock = threading.Lock()

    def find(self, capture: Capture) -> str | None:
        """The timestamp of the capture's message, among the latest 500 that were not read before.

        Raises:
            What a Slack call raises.
        """
        wanted = capture.requested_at.timestamp() - _BEFORE
        with self._lock:
            read = self._read.get(capture.channel_id)
            if read is None or not read.since <= wanted <= min(read.until, read.since + _KEPT):
                read = _Read(wanted, wanted, {})
            read = self._go_on(capture.channel_id, read)
            self._read[capture.channel_id] = read
        return read.heads.get(capture.id)

    def _go_on(self, channel_id: str, read: _Read) -> _Read:
        until, heads = read.until, dict(read.heads)
        newest_first = list(self._messages(channel_id, max(read.since, read.until - _AGAIN)))
        for message in reversed(newest_first):
            until = max(until, float(message["ts"]))
            capture_id = is_posted_as(message, HEAD)
            if capture_id is not None:
                heads[capture_id] = str(message["ts"])
        return _Read(read.since, until, heads)

    def _messages(self, channel_id: str, oldest: float) -> Iterator[dict[str, Any]]:
        return messages(
            lambda cursor: self._reading.conversations_history(
                channel=channel_id,
                oldest=f"{oldest:.6f}",
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )
        )
