"""What a user sees after a slash command: the app's ack, or that it failed."""

from dataclasses import dataclass
from typing import Any

from deploy.lab.slack import content
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.deliver import Ack
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.expiring import Original
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel, User

_SLACKBOT = "Slackbot"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown: to whom, and the text."""

    to: str
    text: str
    ts: str

    def as_json(self) -> dict[str, str]:
        """For the answer of /_lab/command."""
        return {"to": self.to, "text": self.text, "ts": self.ts}


def show(
    workspace: Workspace, user: User, channel: Channel, command: str, ack: Ack, url_key: str
) -> Shown | None:
    """Shows an ack's body as Slack does: ephemeral unless it says `in_channel`; nothing when it is empty."""
    if ack.error is not None:
        return _failed(workspace, user, channel, command, ack.error)
    if ack.body in (None, {}):
        return None
    values = ack.body if isinstance(ack.body, dict) else {"text": str(ack.body)}
    try:
        return _say(workspace, user, channel, values, url_key)
    except SlackError as error:
        workspace.calls.object(f"{command}: the ack was not a message ({error.code})")
        return _failed(workspace, user, channel, command, "invalid_command_response")


def _say(workspace: Workspace, user: User, channel: Channel, values: dict[str, Any], url_key: str) -> Shown:
    arguments = Arguments(values)
    fields = content.read(workspace, arguments, where="an ack").fields()
    url = workspace.expiring.urls[url_key]
    if arguments.text("response_type") == "in_channel":
        message = workspace.messages.post(channel.id, {**workspace.bot_author, **fields})
        url.original = Original(channel.id, message["ts"], is_ephemeral=False)
        return Shown("channel", fields["text"], message["ts"])
    shown = workspace.messages.post_ephemeral(channel.id, user.id, fields, workspace.world.bot.id)
    url.original = Original(channel.id, shown.ts, is_ephemeral=True)
    return Shown("user", fields["text"], shown.ts)


def _failed(workspace: Workspace, user: User, channel: Channel, command: str, error: str) -> Shown:
    text = f'{command} failed with the error "{error}"'
    shown = workspace.messages.post_ephemeral(channel.id, user.id, {"text": text}, _SLACKBOT)
    return Shown("user", text, shown.ts)
