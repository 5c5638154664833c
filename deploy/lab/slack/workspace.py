"""The whole state of the stand-in."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.lab.slack.blockkit import blocks as blockkit
from deploy.lab.slack.calls import Calls
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.expiring import Expiring
from deploy.lab.slack.faults import Faults
from deploy.lab.slack.files import Files
from deploy.lab.slack.messages import Messages
from deploy.lab.slack.ratelimit import RateLimit
from deploy.lab.slack.scopes import BOT_SCOPES
from deploy.lab.slack.world import Channel, World, small_world

_BOT_TOKEN_NUMBERS = 10**12


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's secrets, new with every workspace."""

    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str

    @classmethod
    def new(cls, app_id: str) -> "Credentials":
        """Secrets of the form that Slack's have."""
        numbers = [secrets.randbelow(9 * _BOT_TOKEN_NUMBERS) + _BOT_TOKEN_NUMBERS for _ in range(3)]
        return cls(
            bot_token=f"xoxb-{numbers[0]}-{numbers[1]}-{secrets.token_hex(12)}",
            app_token=f"xapp-1-{app_id}-{numbers[2]}-{secrets.token_hex(32)}",
            signing_secret=secrets.token_hex(16),
            verification_token=secrets.token_hex(12),
        )


@dataclass(slots=True)
class View:
    """An open modal."""

    id: str
    user: str
    view: dict[str, Any]


def _later(seconds: float, action: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(seconds, action)


@dataclass(slots=True)
class Workspace:
    """Everything the stand-in knows. One event loop owns it.

    Attributes:
        folder: Where files go.
        base_url: Such as `http://127.0.0.1:40123`, without a slash at its end.
        clock: Seconds since 1970.
        later: Runs something after some seconds.
        share_after: Seconds from a completed upload until its message is there.
        ack_within: Seconds an app has to answer (Slack: 3).
        retry_after: Seconds before each repetition of an event that was not answered (Slack's Events API).
        scopes: What the bot token is granted.
        request_url: Where an app takes requests over HTTP; None when it does not.
        shares: Completed files whose message is to come.
        keeping: Whether what it knows outlives its process.
    """

    folder: Path
    base_url: str
    clock: Callable[[], float] = time.time
    later: Callable[[float, Callable[[], object]], None] = _later
    share_after: float = 0.3
    ack_within: float = 3.0
    retry_after: tuple[float, ...] = (1.0, 60.0, 300.0)
    world: World = field(default_factory=small_world)
    scopes: tuple[str, ...] = BOT_SCOPES
    request_url: str | None = None
    faults: Faults = field(default_factory=Faults)
    reactions: set[tuple[str, str, str, str]] = field(default_factory=set)
    views: dict[str, View] = field(default_factory=dict)
    tickets: dict[str, float] = field(default_factory=dict)
    shares: list[Any] = field(default_factory=list)
    keeping: bool = False
    credentials: Credentials = field(init=False)
    messages: Messages = field(init=False)
    files: Files = field(init=False)
    calls: Calls = field(init=False)
    limits: RateLimit = field(init=False)
    expiring: Expiring = field(init=False)

    def __post_init__(self) -> None:
        def now() -> float:
            return self.clock()

        self.credentials = Credentials.new(self.world.app_id)
        self.messages = Messages(now)
        self.files = Files(self.folder, now)
        self.calls = Calls(now)
        self.limits = RateLimit(now)
        self.expiring = Expiring(now, self.credentials.bot_token.split("-")[1])

    def channel(self, name_or_id: str) -> Channel:
        """A channel that the bot can know of.

        Raises:
            SlackError: `channel_not_found`.
        """
        channel = self.world.channel(name_or_id)
        if channel is None or not self.world.sees(self.world.bot, channel):
            raise SlackError("channel_not_found")
        return channel

    def check_blocks(self, value: Any) -> list[dict[str, Any]]:
        """The blocks of a message, each with an id; see `blockkit.blocks.check` for what it raises."""
        return blockkit.check(value, self.files.can_be_shown)

    @property
    def bot_author(self) -> dict[str, Any]:
        """The fields that tell a message's author when it is the app."""
        world = self.world
        return {"user": world.bot.id, "bot_id": world.bot_id, "app_id": world.app_id, "team": world.team_id}
