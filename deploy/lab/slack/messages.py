"""The messages of every channel, and the ephemeral ones, in the form Slack returns them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]
"""A message as Slack returns it: `ts`, `user`, `text`, `blocks`, `thread_ts`, `metadata`, …"""


@dataclass(slots=True)
class Ephemeral:
    """A message that only one user sees. No API returns it."""

    ts: str
    channel: str
    user: str
    message: Message
    sender: str
    thread_ts: str | None = None


@dataclass(slots=True)
class Messages:
    """The store. Timestamps (`ts`) are unique in the workspace and grow with time.

    Attributes:
        clock: Seconds since 1970.
    """

    clock: Callable[[], float]
    channels: dict[str, dict[str, Message]] = field(default_factory=dict)
    ephemeral: list[Ephemeral] = field(default_factory=list)
    _latest: int = 0

    def timestamp(self) -> str:
        """A new `ts`: seconds and microseconds, never given twice."""
        self._latest = max(self._latest + 1, int(self.clock() * 1_000_000))
        return f"{self._latest // 1_000_000}.{self._latest % 1_000_000:06d}"

    def post(self, channel: str, message: Message) -> Message:
        """Adds a message; one with `thread_ts` is a reply, and its parent counts it."""
        message = {"type": "message", "ts": self.timestamp(), **message}
        self.channels.setdefault(channel, {})[message["ts"]] = message
        if "thread_ts" in message:
            self._count_replies(channel, message["thread_ts"])
        return message

    def post_ephemeral(
        self, channel: str, user: str, message: Message, sender: str, thread_ts: str | None = None
    ) -> Ephemeral:
        """Shows a message to one user."""
        shown = Ephemeral(self.timestamp(), channel, user, message, sender, thread_ts)
        self.ephemeral.append(shown)
        return shown

    def get(self, channel: str, ts: str) -> Message | None:
        """The message with this timestamp."""
        return self.channels.get(channel, {}).get(ts)

    def delete(self, channel: str, ts: str) -> None:
        """Removes a message; its replies stay."""
        message = self.channels[channel].pop(ts)
        if "thread_ts" in message and message["thread_ts"] != ts:
            self._count_replies(channel, message["thread_ts"])

    def top_level(self, channel: str) -> list[Message]:
        """What one reads in the channel itself, oldest first."""
        return [
            message
            for message in self.channels.get(channel, {}).values()
            if not is_reply(message) or message.get("reply_broadcast")
        ]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A message and its replies, oldest first."""
        return [
            message
            for message in self.channels.get(channel, {}).values()
            if message["ts"] == ts or message.get("thread_ts") == ts
        ]

    def __iter__(self) -> Iterator[tuple[str, Message]]:
        for channel, messages in self.channels.items():
            for message in messages.values():
                yield channel, message

    def _count_replies(self, channel: str, parent_ts: str) -> None:
        parent = self.get(channel, parent_ts)
        if parent is None:
            return
        replies = [message for message in self.thread(channel, parent_ts) if message["ts"] != parent_ts]
        for key in ("thread_ts", "reply_count", "reply_users", "latest_reply"):
            parent.pop(key, None)
        if replies:
            parent["thread_ts"] = parent_ts
            parent["reply_count"] = len(replies)
            parent["reply_users"] = list(dict.fromkeys(reply["user"] for reply in replies))
            parent["latest_reply"] = replies[-1]["ts"]


def is_reply(message: Message) -> bool:
    """Whether a message stands in another's thread."""
    return bool(message.get("thread_ts", message["ts"]) != message["ts"])
