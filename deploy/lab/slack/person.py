"""What a person does in Slack: types commands, clicks, says something."""

from typing import Any

from deploy.lab.slack import acks, editor, payloads
from deploy.lab.slack.deliver import Ack, Delivery, Forgery, Kind
from deploy.lab.slack.messages import Ephemeral, Message
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel, User

Json = dict[str, Any]


class PersonError(Exception):
    """Slack's clients would not let a person do this; the message says why."""


class Person:
    """Acts as whom one likes."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

    def user(self, body: Json) -> User:
        """The person that `user` names.

        Raises:
            PersonError: There is nobody of that name.
        """
        user = self._workspace.world.user(str(body["user"]))
        if user is None:
            raise PersonError(f"there is nobody called {body['user']}")
        return user

    def channel(self, body: Json, user: User) -> Channel:
        """The channel that `channel` names, which the person is in.

        Raises:
            PersonError: There is none, or the person is not in it.
        """
        channel = channel_of(self._workspace, str(body["channel"]), user)
        if user.id not in channel.members:
            raise PersonError(f"{user.name} is not in {body['channel']}")
        return channel

    async def command(
        self,
        user: User,
        channel: Channel,
        command: str,
        text: str,
        *,
        smart: bool,
        times: int,
        forgery: Forgery,
    ) -> tuple[list[Ack], acks.Shown | None]:
        """Types a slash command.

        Args:
            user: Who.
            channel: Where.
            command: With its slash.
            text: As typed.
            smart: Whether the client makes curly quotes, long dashes and links.
            times: How often the same request is delivered.
            forgery: What is wrong with it.

        Returns:
            Each delivery's ack, and what the first one showed.
        """
        sent = editor.sent(text, with_editor=smart)
        fields, url_key = payloads.slash_command(self._workspace, user, channel, command, sent)
        answers = [await self._delivery.send(Kind.COMMAND, fields, forgery) for _ in range(max(1, times))]
        return answers, acks.show(self._workspace, user, channel, command, answers[0], url_key)

    async def click(
        self,
        user: User,
        channel: Channel,
        action_id: str,
        *,
        ts: str | None,
        option: str | None,
        times: int,
    ) -> list[Ack]:
        """Clicks a button, or chooses the option with the value `option`.

        Raises:
            PersonError: No message in sight has it.
        """
        shown, block_id, element = self._find(user, channel, action_id, ts)
        chosen = None
        if option is not None:
            offered = [item for item in element.get("options", []) if item["value"] == option]
            if not offered:
                raise PersonError(f"{action_id} has no option {option}")
            chosen = offered[0]
        payload = payloads.block_actions(
            self._workspace, user, channel, shown, element, block_id=block_id, chosen=chosen
        )
        return [await self._delivery.send(Kind.INTERACTION, payload) for _ in range(max(1, times))]

    async def shortcut(self, user: User, channel: Channel, ts: str, callback_id: str) -> Ack:
        """Uses a message shortcut.

        Raises:
            PersonError: There is no such message.
        """
        message = self._workspace.messages.get(channel.id, ts)
        if message is None:
            raise PersonError(f"there is no message {ts} in {channel.name}")
        payload = payloads.message_action(self._workspace, user, channel, message, callback_id)
        return await self._delivery.send(Kind.INTERACTION, payload)

    async def submit(self, user: User, view_id: str | None, values: Json) -> Ack:
        """Sends a modal off; it closes unless the app answers with errors or another view.

        Raises:
            PersonError: The person has no such modal open.
        """
        mine = [view for view in self._workspace.views.values() if view.user == user.id]
        found = [view for view in mine if view_id in {None, view.id}]
        if not found:
            raise PersonError(f"{user.name} has no such modal open")
        view = found[-1]
        payload = payloads.view_submission(self._workspace, user, view, values)
        ack = await self._delivery.send(Kind.INTERACTION, payload)
        action = ack.body.get("response_action") if isinstance(ack.body, dict) else None
        if action == "update" and isinstance(ack.body.get("view"), dict):
            view.view = {**view.view, **ack.body["view"]}
        elif ack.error is None and action != "errors":
            del self._workspace.views[view.id]
        return ack

    async def say(
        self, user: User, channel: Channel, text: str, *, thread_ts: str | None
    ) -> tuple[Message, Ack | None]:
        """Posts a message; one that mentions the app reaches it as an event, where it is a member."""
        if channel.is_archived:
            raise PersonError(f"#{channel.name} is archived")
        world = self._workspace.world
        fields: Json = {"user": user.id, "team": world.team_id, "text": text}
        if thread_ts:
            if self._workspace.messages.get(channel.id, thread_ts) is None:
                raise PersonError(f"there is no message {thread_ts} in {channel.name}")
            fields["thread_ts"] = thread_ts
        message = self._workspace.messages.post(channel.id, fields)
        if f"<@{world.bot.id}>" not in text or not world.has_bot(channel):
            return message, None
        event = payloads.app_mention(self._workspace, user, channel, message)
        return message, await self._delivery.send_event(event)

    def _find(
        self, user: User, channel: Channel, action_id: str, ts: str | None
    ) -> tuple[Message | Ephemeral, str, Json]:
        messages = self._workspace.messages
        in_sight: list[Message | Ephemeral] = list(messages.channels.get(channel.id, {}).values())
        in_sight += [
            shown for shown in messages.ephemeral if shown.channel == channel.id and shown.user == user.id
        ]
        for shown in reversed(in_sight):
            message = shown.message if isinstance(shown, Ephemeral) else shown
            own_ts = shown.ts if isinstance(shown, Ephemeral) else shown["ts"]
            if ts not in {None, own_ts}:
                continue
            for block in message.get("blocks", []):
                for element in _clickable(block):
                    if element.get("action_id") == action_id:
                        return shown, str(block["block_id"]), element
        raise PersonError(f"nothing in {channel.name or 'this direct message'} can be clicked as {action_id}")


def channel_of(workspace: Workspace, name: str, user: User | None) -> Channel:
    """A channel by id or name; `@NAME` is the direct message with that user, of `user` or of the app.

    Raises:
        PersonError: There is none.
    """
    world = workspace.world
    if name.startswith("@"):
        other = world.user(name)
        if other is not None:
            return world.direct_message(user or world.bot, other)
    channel = world.channel(name)
    if channel is None:
        raise PersonError(f"there is no channel {name}")
    return channel


def _clickable(block: Json) -> list[Json]:
    if block["type"] == "actions":
        return list(block["elements"])
    return [block["accessory"]] if "accessory" in block else []
