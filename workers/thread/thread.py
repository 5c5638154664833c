"""A capture's message and thread in Slack, kept in step with the ledger."""

import time
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from workers.cluster.pod import Pod
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import ACTIVE, FINAL
from workers.slack.errors import FAULTS, code
from workers.slack.faults import faults_as_place_errors
from workers.spool.progress import Progress
from workers.summary.summary import Summary
from workers.tap.evidence import Evidence
from workers.thread.files import Upload, upload, wait_until_shared
from workers.thread.messages import Message, capture_message, sentence_message, summary_message
from workers.thread.trail_messages import closing_message

# chat.update allows about 50 calls a minute for the whole app; many captures share them.
_PROGRESS_EVERY = 4.0


class Thread:
    """Where one capture of Slack reports to."""

    def __init__(self, writing: WebClient, progress: WebClient, ledger: Ledger) -> None:
        self._writing = writing
        self._progress = progress
        self._ledger = ledger
        self._next_progress = 0.0
        self._pause = _PROGRESS_EVERY

    @faults_as_place_errors()
    def open(self, capture: Capture) -> Capture:
        """Posts the capture's message, once; its timestamp is in the ledger afterwards."""
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

    @faults_as_place_errors()
    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:
        """Brings the message up to date with the capture's state; one that has none is told to the asker."""
        if capture.message_ts is not None:
            # Waiting for Slack's leave (429) would hold up a running capture, or beat; more is shown soon.
            passing = capture.state in ACTIVE or capture.place is not None
            client = self._progress if passing else self._writing
            self._update(client, capture, capture_message(capture, queue_reachable=queue_reachable))
            if capture.state in FINAL:
                self._close(capture)
        elif capture.sentence is not None:
            self._tell(capture, capture.sentence)

    def _close(self, capture: Capture) -> None:
        """Says the trail's head as the thread's last word, once."""
        if not self._ledger.claim_closing(capture.id):
            return  # worker and beat may show the same end at the same time
        try:
            answer: str | None = None
            answer = self._reply(capture, closing_message(capture, self._ledger.trail.head()))
        finally:
            self._ledger.note(capture.id, closing_ts=answer)

    def show_evidence(self, capture: Capture, pod: Pod, evidence: Evidence) -> None:
        """The message shows the tap that is decided from it."""

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

    def follow(self, capture: Capture, spool: Path) -> None:
        """Slack gets the file when it is whole."""

    @faults_as_place_errors()
    def show_summary(self, capture: Capture, summary: Summary) -> None:
        """Flows and what was said, in the thread."""
        self._reply(capture, summary_message(summary))

    @faults_as_place_errors()
    def say(self, capture: Capture, sentence: str) -> None:
        """One sentence in the thread."""
        self._reply(capture, sentence_message(sentence))

    def _reply(self, capture: Capture, message: Message) -> str:
        answer = self._writing.chat_postMessage(
            channel=capture.channel_id,
            thread_ts=capture.message_ts,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    @faults_as_place_errors()
    def deliver(self, capture: Capture, file: Path, name: str) -> str:
        """Puts the capture's file into the thread; its file id is in the ledger before it is shared.

        Returns:
            Slack's id of the file.
        """
        if capture.message_ts is None:
            raise ValueError(f"{capture.id} has no message")
        file_id = upload(
            self._writing,
            Upload(file, name, title=name),
            channel=capture.channel_id,
            thread_ts=capture.message_ts,
            comment=f"The packets of `{capture.id}`, for Wireshark.",
            remember=lambda file_id: self._remember(capture.id, file_id),
        )
        wait_until_shared(self._writing, file_id)
        return file_id

    @faults_as_place_errors()
    def tell(self, capture: Capture, sentence: str) -> None:
        """Says one sentence to whoever asked and to nobody else: by the response URL, else as ephemeral."""
        self._tell(capture, sentence)

    def _tell(self, capture: Capture, sentence: str) -> None:
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
