"""Who and what is behind Slack's ids: channels, people, user groups."""

import logging
import threading
import time
from collections.abc import Iterable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from workers.policy.channel import Channel
from workers.slack.errors import code

log = logging.getLogger(__name__)

_PAGE = 200
_KNOWN_SECONDS = 10.0
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found", "plan_upgrade_required", "paid_teams_only"})


class SlackDirectory:
    """Answers questions about a workspace; safe to share between threads.

    Every answer is asked for anew, but the members of a user group, who are those of 10 s ago at most: Slack
    tells them 20 times a minute, which many requests at once would use up.

    Needs the scopes channels:read, groups:read, im:read, mpim:read, users:read, users:read.email and
    usergroups:read. Every method raises slack_sdk's errors (see `errors.FAULTS`).
    """

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._groups: dict[str, tuple[float | None, frozenset[str]]] = {}
        self._asking = threading.Lock()

    def channel(self, channel_id: str) -> Channel:
        """The channel as conversations.info describes it.

        A private channel without the bot answers `channel_not_found`: that is told as a channel the bot is
        not in. The `channel_name` of a command is not used: in private channels it is not the name.
        """
        try:
            info = self._client.conversations_info(channel=channel_id)["channel"]
        except SlackApiError as error:
            if code(error) != "channel_not_found":
                raise
            info = {}
        return Channel(
            id=channel_id,
            name=info.get("name", ""),
            is_ext_shared=bool(info.get("is_ext_shared") or info.get("is_pending_ext_shared")),
            is_im=bool(info.get("is_im")) or channel_id.startswith("D"),
            is_mpim=bool(info.get("is_mpim")),
            is_private=bool(info.get("is_private")),
            is_archived=bool(info.get("is_archived")),
            is_member=bool(info.get("is_member")),
        )

    def channel_id(self, name: str) -> str | None:
        """The id of the channel that bears this name now, among those the bot can see."""
        cursor = ""
        while True:
            answer = self._client.conversations_list(
                types="public_channel,private_channel", exclude_archived=True, limit=_PAGE, cursor=cursor
            )
            for channel in answer["channels"]:
                if channel["name"] == name:
                    return str(channel["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return None

    def usergroup_id(self, handle: str) -> str | None:
        """The id of the user group with this handle (without @)."""
        for group in self._client.usergroups_list()["usergroups"]:
            if group["handle"] == handle:
                return str(group["id"])
        return None

    def user_id(self, email: str) -> str | None:
        """The id of the person with this e-mail address."""
        try:
            return str(self._client.users_lookupByEmail(email=email)["user"]["id"])
        except SlackApiError as error:
            if code(error) == "users_not_found":
                return None
            raise

    def email(self, user_id: str) -> str | None:
        """A person's e-mail address, when the workspace shows it."""
        profile = self._client.users_info(user=user_id)["user"].get("profile", {})
        email: str | None = profile.get("email")
        return email

    def usergroups_of(self, user_id: str, among: Iterable[str]) -> frozenset[str]:
        """Which of these user groups (ids) a person is in."""
        return frozenset(group for group in among if self._is_in(user_id, group))

    def _is_in(self, user_id: str, group: str) -> bool:
        with self._asking:  # so that many who ask at once ask Slack once
            asked_at, members = self._groups.get(group, (None, frozenset[str]()))
            if asked_at is None or time.monotonic() > asked_at + _KNOWN_SECONDS:
                members = self._members(group)
                self._groups[group] = time.monotonic(), members
        return user_id in members

    def _members(self, group: str) -> frozenset[str]:
        try:
            return frozenset(self._client.usergroups_users_list(usergroup=group)["users"])
        except SlackApiError as error:
            if code(error) not in _NO_GROUP:
                raise
            # One dead group in a policy must not shut out those whom another rule names.
            log.warning("policy: user group %s has no members any more (%s)", group, code(error))
            return frozenset()
