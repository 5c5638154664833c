"""A capture's message and thread in Slack, kept in step with the ledger."""

import time
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import ACTIVE
from workers.slack.errors import FAULTS, code
from workers.spool.progress import Progress
from workers.thread.files import Upload, upload
from workers.thread.messages import Message, capture_message, sentence_message

# chat.update allows about 50 calls a minute for the whole app; many captures share them.
_PROGRESS_EVERY = 4.0


class Thread:
    """Where one capture reports to."""

    def __init__(self, writing: WebClient, progress: WebClient, ledger: Ledger) -> None:
        self._writing = writing
        self._progress = progress
        self._ledger = ledger
        self._next_progress = 0.0
        self._pause = _PROGRESS_EVERY

    def open(self, capture: Capture) -> Capture:
        """Posts the capture's message, once; its timestamp is in the ledger afterwards.

        Raises:
            slack_sdk's errors: It could not be posted.
        """
        if capture.message_ts is not None:
            return capture
        message = capture_message(capture)
        answer = self._writing.chat_postMessage(
            channel=capture.channel_id,
            text=message.text,
            blocks=message.blocks,
            metadata={"event_type": "podcap_capture", "event_payload": {"capture": capture.id}},
            unfurl_links=False,
            unfurl_media=False,
        )
        if not self._ledger.note_message(capture.id, answer["ts"]):
            # Somebody else admitted it at the same time: one message is enough.
            self._writing.chat_delete(channel=capture.channel_id, ts=answer["ts"])
        return self._ledger.get(capture.id)

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:
        """Brings the message up to date with the capture's state; one that has none is told to the asker.

        Raises:
            slack_sdk's errors: Slack does not show it yet; `shown` in the ledger says so.
        """
        if capture.message_ts is not None:
            # Waiting for Slack's leave (429) would hold up a running capture; its next state is shown soon.
            client = self._progress if capture.state in ACTIVE else self._writing
            self._update(client, capture, capture_message(capture, queue_reachable=queue_reachable))
        elif capture.sentence is not None:
            self.tell(capture, capture.sentence)
        self._ledger.note(capture.id, shown=capture.state)

    def show_progress(self, capture: Capture, progress: Progress) -> None:
        """Shows how far a running capture is, as often as Slack allows; a refused update is dropped."""
        now = time.monotonic()
        if capture.message_ts is None or now < self._next_progress:
            return
        try:
            self._update(self._progress, capture, capture_message(capture, progress))
            self._pause = _PROGRESS_EVERY
        except SlackApiError as error:
            if code(error) == "ratelimited":
                self._pause = min(self._pause * 2, 60.0)
        except FAULTS:
            pass
        self._next_progress = time.monotonic() + self._pause

    def reply(self, capture: Capture, message: Message) -> None:
        """Says something in the thread.

        Raises:
            slack_sdk's errors: It could not be posted.
        """
        self._writing.chat_postMessage(
            channel=capture.channel_id,
            thread_ts=capture.message_ts,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )

    def deliver(self, capture: Capture, path: Path, name: str, comment: str) -> Capture:
        """Puts the capture's file into the thread; its file id is in the ledger before it is shared.

        Raises:
            slack_sdk's errors, UploadError: Slack did not take it.
        """
        if capture.message_ts is None:
            raise ValueError(f"{capture.id} has no message")
        upload(
            self._writing,
            Upload(path, name, title=name),
            channel=capture.channel_id,
            thread_ts=capture.message_ts,
            comment=comment,
            remember=lambda file_id: self._remember(capture.id, file_id),
        )
        return self._ledger.get(capture.id)

    def tell(self, capture: Capture, sentence: str) -> None:
        """Says one sentence to whoever asked and to nobody else: by the response URL, else as ephemeral.

        Raises:
            slack_sdk's errors: Neither way was open.
        """
        if capture.response_url:
            answer = WebhookClient(capture.response_url, timeout=10).send(
                text=sentence, response_type="ephemeral", replace_original=False
            )
            if answer.status_code == 200:  # noqa: PLR2004, HTTP's OK
                return
        message = sentence_message(sentence)
        self._writing.chat_postEphemeral(
            channel=capture.channel_id, user=capture.user_id, text=message.text, blocks=message.blocks
        )

    def _remember(self, capture_id: str, file_id: str) -> None:
        self._ledger.note(capture_id, file_id=file_id)

    @staticmethod
    def _update(client: WebClient, capture: Capture, message: Message) -> None:
        client.chat_update(
            channel=capture.channel_id, ts=capture.message_ts or "", text=message.text, blocks=message.blocks
        )
