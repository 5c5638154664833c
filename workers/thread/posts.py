"""Posting each message of a capture once, whatever becomes of the answers.

Slack has no idempotency key, so every message says in its metadata what it is. A post whose answer was lost,
or that a worker may have made before it died, is looked for before it is made again.
"""

import hashlib
import logging
from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from workers.ledger.capture import Capture
from workers.slack.errors import FAULTS, code, is_passing
from workers.thread.heads import Heads
from workers.thread.messages import Message
from workers.thread.pages import PAGE, messages
from workers.thread.posted import HEAD, is_posted_as, metadata

log = logging.getLogger(__name__)


class Posts:
    """The messages of captures.

    Args:
        writing: A client that repeats nothing that may have taken effect.
        reading: One that repeats what it asks.
        heads: What is known of the messages in channels.
        doubt: Whether somebody may have posted before.
    """

    def __init__(self, writing: WebClient, reading: WebClient, heads: Heads, *, doubt: bool) -> None:
        self._writing = writing
        self._reading = reading
        self._heads = heads
        self.doubt = doubt

    def post(self, capture: Capture, what: str, message: Message) -> str:
        """Posts a message, unless it is there; its timestamp.

        Args:
            capture: The capture; with `message_ts` for a reply.
            what: `HEAD`, or what distinguishes it from the others in its thread.
            message: The message.

        Raises:
            What a Slack call raises.
        """
        if self.doubt and (found := self._find(capture, what)) is not None:
            return found
        try:
            answer = self._writing.chat_postMessage(
                channel=capture.channel_id,
                text=message.text,
                blocks=message.blocks,
                metadata=metadata(capture.id, what),
                unfurl_links=False,
                unfurl_media=False,
                thread_ts=None if what == HEAD else capture.message_ts,
            )
        except FAULTS as error:
            if not is_passing(error):
                raise
            self.doubt = True
            found = self._find(capture, what)
            if found is None:
                raise
            return found
        return str(answer["ts"])

    def _find(self, capture: Capture, what: str) -> str | None:
        try:
            if what == HEAD:
                return self._heads.find(capture)
            for message in self._replies(capture):
                if is_posted_as(message, what) == capture.id:
                    return str(message["ts"])
        except SlackApiError as error:
            if code(error) not in ("missing_scope", "thread_not_found"):
                raise
            log.warning("whether this was posted before cannot be seen: %s", code(error))
        return None

    def _replies(self, capture: Capture) -> Iterator[dict[str, Any]]:
        return messages(
            lambda cursor: self._reading.conversations_replies(
                channel=capture.channel_id,
                ts=capture.message_ts or "",
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )
        )


def named(sentence: str) -> str:
    """What a reply of one sentence is, among others of its kind."""
    return f"sentence {hashlib.sha256(sentence.encode()).hexdigest()[:16]}"
