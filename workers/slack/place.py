"""Slack as the place where captures are asked for and reported."""

import logging
from collections.abc import Sequence

from slack_sdk.errors import SlackApiError

from workers.ledger.capture import SLACK, Capture
from workers.ledger.lease import Lease
from workers.ledger.ledger import Ledger
from workers.ledger.tap_record import TapRecord
from workers.place import NotHereError
from workers.policy.channel import payload_forbidden_in, refuse_channel
from workers.policy.decide import Asker
from workers.policy.names import ResolvedPolicy, resolve
from workers.policy.rules import Policy
from workers.report import Report, Silence
from workers.settings import Settings
from workers.slack.client import progress_client, reading_client, writing_client
from workers.slack.directory import SlackDirectory
from workers.slack.errors import FAULTS, reason
from workers.slack.faults import faults_as_place_errors
from workers.thread.heads import Heads
from workers.thread.thread import Clients, Thread

log = logging.getLogger(__name__)


class SlackPlace:
    """A workspace; safe to share between threads.

    Raises:
        SettingsError: SLACK_BOT_TOKEN is not set.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.directory = SlackDirectory(reading_client(settings))
        self._heads = Heads(reading_client(settings))
        self._settings = settings
        self._ledger = ledger

    def report(self, capture: Capture, lease: Lease | None = None, *, again: bool = False) -> Report:
        """The capture's message and thread; whoever asked at a terminal is not here."""
        if capture.origin != SLACK:
            return Silence()
        clients = Clients(
            writing_client(self._settings),
            reading_client(self._settings),
            progress_client(self._settings),
            self._heads,
        )
        return Thread(clients, self._ledger, lease, again=again or (lease is not None and lease.takeover))

    @faults_as_place_errors()
    def resolve(self, policy: Policy) -> ResolvedPolicy:
        """The policy with Slack's ids for names."""
        return resolve(policy, self.directory)

    @faults_as_place_errors()
    def asker(self, capture: Capture, policy: ResolvedPolicy) -> Asker:
        """Slack's user, their groups and the channel."""
        channel = self.directory.channel(capture.channel_id)
        refused = refuse_channel(channel) or (payload_forbidden_in(channel) if capture.full else None)
        if refused is not None:
            raise NotHereError(refused)
        return Asker(
            user_id=capture.user_id,
            usergroup_ids=self.directory.usergroups_of(capture.user_id, policy.usergroup_ids),
            channel_id=capture.channel_id,
            channel_name=channel.name,
            email=capture.user_email or "",
        )

    @faults_as_place_errors()
    def email(self, capture: Capture) -> str | None:
        """The e-mail address in the asker's profile; None when Slack does not show it."""
        try:
            return self.directory.email(capture.user_id)
        except SlackApiError:
            return None

    def link(self, capture: Capture) -> str | None:
        """The permalink of the capture's message."""
        if capture.message_ts is None:
            return None
        try:
            answer = reading_client(self._settings).chat_getPermalink(
                channel=capture.channel_id, message_ts=capture.message_ts
            )
        except FAULTS as error:
            log.warning("no link to the thread: %s", reason(error))
            return None
        return str(answer["permalink"])

    def agreed(self, capture: Capture, taps: Sequence[TapRecord]) -> bool | None:  # noqa: ARG002, Slack asks all
        """The message has the buttons."""
        return None

    @faults_as_place_errors()
    def payload_refusal(self, capture: Capture) -> str | None:
        """The channel may have been shared with another organization while packets were captured."""
        return payload_forbidden_in(self.directory.channel(capture.channel_id))
