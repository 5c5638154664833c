"""A capture's message and thread in Slack, kept in step with the ledger."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from workers.cluster.pod import Pod
from workers.ledger.capture import Capture
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.ledger import Ledger
from workers.ledger.states import ACTIVE, FINAL
from workers.ledger.tap_record import TapRecord
from workers.parcel import Told
from workers.slack.errors import FAULTS, code, is_passing, may_have_arrived
from workers.slack.faults import faults_as_place_errors
from workers.spool.progress import Progress
from workers.summary.summary import Summary
from workers.tap.evidence import Evidence
from workers.thread.files import Share, complete, is_known, upload, wait_until_shared
from workers.thread.heads import Heads
from workers.thread.messages import Message, capture_message, sentence_message, summary_message, told_message
from workers.thread.posted import HEAD
from workers.thread.posts import Posts, named
from workers.thread.trail_messages import closing_message

log = logging.getLogger(__name__)

# chat.update allows about 50 calls a minute for the whole app; many captures share them.
_PROGRESS_EVERY = 4.0

_SUMMARY, _TOLD, _CLOSING = "summary", "told", "closing"


@dataclass(frozen=True)
class Clients:
    """Clients that repeat what they may: `workers.slack.client`; and what they have read of channels."""

    writing: WebClient
    reading: WebClient
    progress: WebClient
    heads: Heads


class Thread:
    """Where one capture of Slack reports to.

    Args:
        clients: Slack.
        ledger: The table of captures.
        lease: What must be held to report; a worker that lost it raises LeaseLostError in place of posting.
        again: Whether somebody may have posted the same before.
    """

    def __init__(
        self, clients: Clients, ledger: Ledger, lease: Lease | None = None, *, again: bool = False
    ) -> None:
        self._writing = clients.writing
        self._reading = clients.reading
        self._progress = clients.progress
        self._ledger = ledger
        self._lease = lease
        self._posts = Posts(clients.writing, clients.reading, clients.heads, doubt=again)
        self._next_progress = 0.0
        self._pause = _PROGRESS_EVERY

    @faults_as_place_errors()
    def open(self, capture: Capture, taps: Sequence[TapRecord] = ()) -> Capture:
        """Posts the capture's message, once; its timestamp is in the ledger afterwards."""
        if capture.message_ts is not None:
            return capture
        ts = self._posts.post(capture, HEAD, capture_message(capture, taps=taps))
        if not self._ledger.note_message(capture.id, ts):
            known = self._ledger.get(capture.id)
            if known.message_ts != ts:
                # Somebody else admitted it at the same time: one message is enough.
                self._writing.chat_delete(channel=capture.channel_id, ts=ts)
        return self._ledger.get(capture.id)

    @faults_as_place_errors()
    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:
        """Brings the message up to date with the capture's state; one that has none is told to the asker."""
        if capture.message_ts is not None:
            # Waiting for Slack's leave (429) would hold up a running capture, or beat; more is shown soon.
            passing = capture.state in ACTIVE or capture.place is not None
            client = self._progress if passing else self._writing
            taps = self._ledger.taps.of(capture.id)
            message = capture_message(capture, queue_reachable=queue_reachable, taps=taps)
            self._update(client, capture, message)
            if capture.state in FINAL:
                self._close(capture)
        elif capture.sentence is not None:
            self._tell(capture, capture.sentence)

    def _close(self, capture: Capture) -> None:
        """Says the trail's head as the thread's last word, once."""
        if not self._ledger.claim_closing(capture.id):
            # Whoever claimed it has said it, or died at it: beat comes late enough to tell.
            if self._ledger.get(capture.id).closing_ts:
                return
            self._posts.doubt = True
        ts = self._reply(capture, _CLOSING, closing_message(capture, self._ledger.trail.head()))
        self._ledger.note(capture.id, closing_ts=ts)

    def show_evidence(self, capture: Capture, pod: Pod, evidence: Evidence) -> None:
        """The message shows the tap that is decided from it."""

    def show_progress(self, capture: Capture, progress: Progress, taps: Sequence[TapRecord] = ()) -> None:
        """Shows how far a running capture is, as often as Slack allows; a refused update is dropped."""
        now = time.monotonic()
        if capture.message_ts is None or now < self._next_progress:
            return
        self._refuse_if_lost()
        try:
            self._update(self._progress, capture, capture_message(capture, progress, taps=taps))
            self._pause = _PROGRESS_EVERY
        except SlackApiError as error:
            if code(error) == "ratelimited":
                self._pause = min(self._pause * 2, 60.0)
        except FAULTS:
            pass
        self._next_progress = time.monotonic() + self._pause

    def show_taps(self, capture: Capture, taps: Sequence[TapRecord]) -> None:
        """The message has them."""

    def follow(self, capture: Capture, spool: Path) -> None:
        """Slack gets the file when it is whole."""

    @faults_as_place_errors()
    def show_summary(self, capture: Capture, summary: Summary) -> None:
        """Flows and what was said, in the thread."""
        self._reply(capture, _SUMMARY, summary_message(summary))

    @faults_as_place_errors()
    def show_told(self, capture: Capture, told: Told) -> None:
        """Tables and lines, in the thread."""
        self._reply(capture, _TOLD, told_message(told))

    @faults_as_place_errors()
    def say(self, capture: Capture, sentence: str) -> None:
        """One sentence in the thread."""
        self._reply(capture, named(sentence), sentence_message(sentence))

    def _reply(self, capture: Capture, what: str, message: Message) -> str:
        self._refuse_if_lost()
        return self._posts.post(capture, what, message)

    def _refuse_if_lost(self) -> None:
        if self._lease is not None and not self._ledger.leases.holds(self._lease):
            raise LeaseLostError(f"{self._lease.capture_id} was given to another worker")

    @faults_as_place_errors()
    def deliver(self, capture: Capture, file: Path, name: str) -> str:
        """Puts the capture's file into the thread, once.

        Returns:
            Slack's id of the file.
        """
        share = self._share(capture, name, f"The packets of `{capture.id}`, for Wireshark.")
        return self._put(capture, file, name, share, known_as="file_id")

    @faults_as_place_errors()
    def show_picture(self, capture: Capture, file: Path, alt_text: str) -> str:
        """Puts the picture into the thread, once.

        Returns:
            Slack's id of the file.
        """
        share = self._share(capture, f"Traffic of {capture.what}", "Traffic over time.")
        return self._put(capture, file, file.name, share, known_as="picture_id", alt_text=alt_text)

    @faults_as_place_errors()
    def show_context(self, capture: Capture, file: Path) -> str:
        """Puts what was around the pods into the thread, once.

        Returns:
            Slack's id of the file.
        """
        several = len(self._ledger.taps.of(capture.id)) > 1
        around = "the pods, and what they" if several else "the pod, and what it"
        share = self._share(capture, file.name, f"What was around {around} logged.")
        return self._put(capture, file, file.name, share, known_as="context_id")

    @staticmethod
    def _share(capture: Capture, title: str, comment: str) -> Share:
        if capture.message_ts is None:
            raise ValueError(f"{capture.id} has no message")
        return Share(title, capture.channel_id, capture.message_ts, comment)

    def _put(
        self,
        capture: Capture,
        file: Path,
        name: str,
        share: Share,
        *,
        known_as: str,
        alt_text: str | None = None,
    ) -> str:
        """Shares a file whose id is in the ledger before, in the column `known_as`."""
        before = getattr(self._ledger.get(capture.id), known_as)
        if before is not None and self._complete(before, share):
            return str(before)
        file_id = upload(self._writing, file, name, alt_text)
        # From here on whoever takes over asks Slack what became of it.
        self._ledger.note(capture.id, lease=self._lease, **{known_as: file_id})
        complete(self._writing, file_id, share)
        wait_until_shared(self._reading, file_id)
        return file_id

    def _complete(self, file_id: str, share: Share) -> bool:
        """Whether a file that was uploaded before is in the thread, now at least."""
        if is_known(self._reading, file_id) and wait_until_shared(self._reading, file_id):
            return True
        self._refuse_if_lost()
        try:
            complete(self._writing, file_id, share)
        except SlackApiError as error:
            if is_passing(error):
                raise
            return False
        wait_until_shared(self._reading, file_id)
        return True

    @faults_as_place_errors()
    def tell(self, capture: Capture, sentence: str) -> None:
        """Says one sentence to whoever asked and to nobody else: by the response URL, else as ephemeral.

        Slack lets nobody ask whether it was shown. So one whose answer was lost counts as said: it was sent.
        """
        self._tell(capture, sentence)

    def _tell(self, capture: Capture, sentence: str) -> None:
        try:
            self._whisper(capture, sentence)
        except FAULTS as error:
            if not may_have_arrived(error):
                raise
            log.warning("whether the asker was told cannot be known: %r", error)

    def _whisper(self, capture: Capture, sentence: str) -> None:
        if capture.response_url:
            # By default it repeats what may have taken effect.
            client = WebhookClient(capture.response_url, timeout=10, retry_handlers=[])
            answer = client.send(text=sentence, response_type="ephemeral", replace_original=False)
            if answer.status_code == 200:  # noqa: PLR2004, HTTP's OK
                return
        message = sentence_message(sentence)
        self._writing.chat_postEphemeral(
            channel=capture.channel_id, user=capture.user_id, text=message.text, blocks=message.blocks
        )

    @staticmethod
    def _update(client: WebClient, capture: Capture, message: Message) -> None:
        client.chat_update(
            channel=capture.channel_id, ts=capture.message_ts or "", text=message.text, blocks=message.blocks
        )
