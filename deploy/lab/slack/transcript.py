"""A channel or a thread as a person reads it, in plain text."""

from datetime import UTC, datetime
from typing import Any

from deploy.lab.slack.layout import Layout
from deploy.lab.slack.messages import Ephemeral, Message, is_reply
from deploy.lab.slack.mrkdwn import Style
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel, User

_KILO = 1000
_INDENT = "    "


class Transcript:
    """Writes what is in the workspace for a reader.

    Args:
        workspace: What to read.
        colour: Whether the reader's terminal shows colours.
        reader: Whose ephemeral messages are shown; None shows everybody's.
    """

    def __init__(self, workspace: Workspace, *, colour: bool = False, reader: User | None = None) -> None:
        self._workspace = workspace
        self._style = Style(colour)
        self._layout = Layout(workspace.world, self._style)
        self._reader = reader

    def thread(self, channel: Channel, ts: str | None = None) -> str:
        """One thread; without `ts` the latest that the app has part in. Empty when there is none."""
        ts = ts or self._latest(channel)
        parts = [self._title(channel)]
        for shown in self._in_order(channel, ts):
            is_indented = isinstance(shown, Ephemeral) or shown["ts"] != ts
            parts.append(self._entry(shown, _INDENT if is_indented else ""))
        return "\n\n".join(parts) + "\n" if len(parts) > 1 else ""

    def channel(self, channel: Channel) -> str:
        """The whole channel, each thread's replies indented below its first message."""
        parts = [self._title(channel)]
        top: list[Message | Ephemeral] = [
            *self._workspace.messages.top_level(channel.id),
            *self._ephemeral(channel, None),
        ]
        for shown in sorted(top, key=_time):
            parts.append(self._entry(shown, ""))
            if isinstance(shown, dict) and not is_reply(shown):
                parts += [self._entry(reply, _INDENT) for reply in self._in_order(channel, shown["ts"])[1:]]
        return "\n\n".join(parts) + "\n"

    def ephemeral(self, user: User) -> str:
        """What only this user saw, oldest first."""
        mine = [shown for shown in self._workspace.messages.ephemeral if shown.user == user.id]
        return "".join(f"{self._entry(shown, '')}\n\n" for shown in mine)

    def _latest(self, channel: Channel) -> str:
        messages = self._workspace.messages
        top = messages.top_level(channel.id)
        with_app = [
            message
            for message in top
            if any("bot_id" in shown for shown in messages.thread(channel.id, message["ts"]))
        ]
        return str((with_app or top)[-1]["ts"]) if top else ""

    def _in_order(self, channel: Channel, ts: str) -> list[Message | Ephemeral]:
        both: list[Message | Ephemeral] = [
            *self._workspace.messages.thread(channel.id, ts),
            *self._ephemeral(channel, ts),
        ]
        return sorted(both, key=_time)

    def _ephemeral(self, channel: Channel, thread_ts: str | None) -> list[Ephemeral]:
        return [
            shown
            for shown in self._workspace.messages.ephemeral
            if shown.channel == channel.id
            and shown.thread_ts == thread_ts
            and (self._reader is None or self._reader.id == shown.user)
        ]

    def _title(self, channel: Channel) -> str:
        if channel.is_im:
            names = [self._name(id_) for id_ in channel.members]
            return self._style.bold(f"Direct message of {' and '.join(names)}")
        return self._style.bold(f"#{channel.name}")

    def _entry(self, shown: Message | Ephemeral, indent: str) -> str:
        message = shown.message if isinstance(shown, Ephemeral) else shown
        lines = [self._head(shown), *(f"  {line}" if line else "" for line in self._body(message))]
        return "\n".join(f"{indent}{line}".rstrip() for line in lines)

    def _head(self, shown: Message | Ephemeral) -> str:
        ts = shown.ts if isinstance(shown, Ephemeral) else shown["ts"]
        sender = shown.sender if isinstance(shown, Ephemeral) else str(shown.get("user", ""))
        at = datetime.fromtimestamp(float(ts), UTC)
        user = self._workspace.world.users.get(sender)
        parts = [self._style.bold(self._name(sender))]
        if user is not None and user.is_bot:
            parts.append(self._style.dim("APP"))
        parts.append(self._style.dim(f"{at:%H:%M:%S}"))
        if isinstance(shown, Ephemeral):
            whom = "you" if self._reader is not None else self._name(shown.user)
            parts.append(self._style.dim(f"(only visible to {whom})"))
        elif "edited" in shown:
            parts.append(self._style.dim("(edited)"))
        return "  ".join(parts)

    def _body(self, message: Message) -> list[str]:
        lines: list[str] = []
        if message.get("blocks"):
            for block in message["blocks"]:
                lines += self._layout.block(block)
        else:
            lines += self._layout.text(message["text"])
        for attachment in message.get("attachments", []):
            lines += [f"▌ {line}" for line in self._attachment(attachment)]
        lines += [_file(file) for file in message.get("files", [])]
        if message.get("reactions"):
            lines.append(" ".join(f":{reaction['name']}:" for reaction in message["reactions"]))
        return lines

    def _attachment(self, attachment: dict[str, Any]) -> list[str]:
        if "blocks" in attachment:
            return [line for block in attachment["blocks"] for line in self._layout.block(block)]
        return self._layout.text(str(attachment.get("text") or attachment.get("fallback") or ""))

    def _name(self, user_id: str) -> str:
        user = self._workspace.world.users.get(user_id)
        return user.name if user else user_id


def _time(shown: Message | Ephemeral) -> float:
    return float(shown.ts if isinstance(shown, Ephemeral) else shown["ts"])


def _file(file: dict[str, Any]) -> str:
    if file.get("mode") == "tombstone":
        return "\N{PAPERCLIP} This file was deleted."
    kind = "image" if str(file["mimetype"]).startswith("image/") else "file"
    title = f"  {file['title']}" if file["title"] != file["name"] else ""
    alt = f"  {file['alt_txt']}" if file.get("alt_txt") else ""
    return f"\N{PAPERCLIP} {kind} {file['name']}  {_size(file['size'])}{title}{alt}"


def _size(number: int) -> str:
    value, unit = float(number), "B"
    for larger in ("kB", "MB", "GB"):
        if value < _KILO:
            break
        value, unit = value / _KILO, larger
    return f"{number} B" if unit == "B" else f"{value:.1f} {unit}"
