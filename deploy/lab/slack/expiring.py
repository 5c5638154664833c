"""What Slack gives an app for a while: trigger ids (3 s, once) and response URLs (30 minutes, five times)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.lab.slack.errors import SlackError

_TRIGGER_SECONDS = 3.0
_URL_SECONDS = 30 * 60.0
_URL_USES = 5


@dataclass(slots=True)
class Original:
    """The message that a response URL replaces or deletes.

    Attributes:
        channel: Its channel's id.
        ts: Its timestamp.
        is_ephemeral: Whether only one user sees it.
    """

    channel: str
    ts: str
    is_ephemeral: bool


@dataclass(slots=True)
class ResponseUrl:
    """A response URL, and what it stands for."""

    key: str
    user: str
    channel: str
    born: float
    thread_ts: str | None = None
    uses: int = 0
    original: Original | None = None


@dataclass(slots=True)
class Expiring:
    """What was given and is still known.

    Attributes:
        clock: Seconds since 1970.
        team_number: The middle part of a trigger id.
    """

    clock: Callable[[], float]
    team_number: str
    urls: dict[str, ResponseUrl] = field(default_factory=dict)
    _triggers: dict[str, tuple[float, str, bool]] = field(default_factory=dict)

    def trigger(self, user: str) -> str:
        """A new trigger id, such as `13345224609.738474920.8088930838d88f008e0`."""
        number = secrets.randbelow(9 * 10**12) + 10**12
        trigger_id = f"{number}.{self.team_number}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = (self.clock(), user, False)
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """Uses a trigger id up.

        Returns:
            The user who pulled it.

        Raises:
            SlackError: `invalid_trigger_id`, `expired_trigger_id` or `exchanged_trigger_id`.
        """
        if trigger_id not in self._triggers:
            raise SlackError("invalid_trigger_id")
        born, user, exchanged = self._triggers[trigger_id]
        if exchanged:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - born > _TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        self._triggers[trigger_id] = (born, user, True)
        return user

    def response_url(
        self, user: str, channel: str, thread_ts: str | None = None, original: Original | None = None
    ) -> ResponseUrl:
        """A new response URL."""
        url = ResponseUrl(
            secrets.token_urlsafe(18), user, channel, self.clock(), thread_ts, original=original
        )
        self.urls[url.key] = url
        return url

    def use(self, key: str) -> ResponseUrl:
        """Uses a response URL once.

        Raises:
            SlackError: `expired_url` or `used_url`.
        """
        url = self.urls.get(key)
        if url is None or self.clock() - url.born > _URL_SECONDS:
            raise SlackError("expired_url")
        if url.uses >= _URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url
