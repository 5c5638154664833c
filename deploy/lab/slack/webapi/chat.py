"""chat.*: posting, updating and deleting messages."""

from typing import Any

from deploy.lab.slack import content
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.messages import Message, is_reply
from deploy.lab.slack.scopes import missing
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel

Json = dict[str, Any]


def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.postMessage."""
    channel = destination(workspace, arguments.required("channel"))
    _may_post(workspace, channel)
    _customised(workspace, arguments)
    fields = content.read(workspace, arguments, where="chat.postMessage").fields()
    thread_ts = arguments.text("thread_ts")
    if thread_ts:
        fields["thread_ts"] = parent(workspace, channel, thread_ts)["ts"]
        if arguments.flag("reply_broadcast"):
            fields["reply_broadcast"] = True
    message = workspace.messages.post(channel.id, {**workspace.bot_author, **fields})
    return {"channel": channel.id, "ts": message["ts"], "message": dict(message)}


def update(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.update: text without blocks takes the blocks away; metadata stays unless it is given."""
    channel, message = _own(workspace, arguments, "cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    new = content.read(workspace, arguments, where="chat.update", longest=content.LONGEST_UPDATE)
    for part in ("blocks", "attachments"):
        message.pop(part, None)
    if new.metadata is not None:
        message.pop("metadata", None)
    message.update(new.fields())
    message["edited"] = {"user": workspace.world.bot.id, "ts": workspace.messages.timestamp()}
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": dict(message)}


def delete(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.delete."""
    channel, message = _own(workspace, arguments, "cant_delete_message")
    workspace.messages.delete(channel.id, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.postEphemeral: the user must be in the channel, as the bot."""
    channel = destination(workspace, arguments.required("channel"))
    user = workspace.world.users.get(arguments.required("user"))
    _may_post(workspace, channel)
    _customised(workspace, arguments)
    if user is None or user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    fields = content.read(workspace, arguments, where="chat.postEphemeral").fields()
    thread_ts = arguments.text("thread_ts") or None
    if thread_ts:
        thread_ts = str(parent(workspace, channel, thread_ts)["ts"])
    sender = workspace.world.bot.id
    shown = workspace.messages.post_ephemeral(channel.id, user.id, fields, sender, thread_ts)
    return {"message_ts": shown.ts}


def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.getPermalink."""
    channel = workspace.channel(arguments.required("channel"))
    message = workspace.messages.get(channel.id, arguments.required("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{workspace.base_url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    if is_reply(message):
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def destination(workspace: Workspace, channel: str) -> Channel:
    """Where to post: a channel's id or name, or a user's id for the direct message with that user.

    Raises:
        SlackError: `channel_not_found`.
    """
    user = workspace.world.users.get(channel)
    if user is not None and not user.is_bot:
        return workspace.world.direct_message(workspace.world.bot, user)
    return workspace.channel(channel)


def parent(workspace: Workspace, channel: Channel, thread_ts: str) -> Message:
    """The message whose thread is replied to.

    Raises:
        SlackError: `thread_not_found`; `cannot_reply_to_message` for a reply, because Slack's method
            reference asks for the parent's timestamp.
    """
    message = workspace.messages.get(channel.id, thread_ts)
    if message is None:
        raise SlackError("thread_not_found")
    if is_reply(message):
        workspace.calls.object("a reply was sent with a reply's timestamp in place of its parent's")
        raise SlackError("cannot_reply_to_message")
    return message


def _may_post(workspace: Workspace, channel: Channel) -> None:
    if channel.is_archived:
        raise SlackError("is_archived")
    if not workspace.world.has_bot(channel):
        raise SlackError("not_in_channel")


def _customised(workspace: Workspace, arguments: Arguments) -> None:
    named = any(arguments.text(name) for name in ("username", "icon_emoji", "icon_url"))
    if named and "chat:write.customize" not in workspace.scopes:
        raise missing("chat:write.customize", workspace.scopes)


def _own(workspace: Workspace, arguments: Arguments, refusal: str) -> tuple[Channel, Message]:
    # Unlike chat.postMessage these take an id only.
    id_ = arguments.required("channel")
    ts = arguments.required("ts")
    if id_ not in workspace.world.channels:
        raise SlackError("channel_not_found")
    channel = workspace.channel(id_)
    message = workspace.messages.get(channel.id, ts)
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != workspace.world.bot_id:
        raise SlackError(refusal)
    return channel, message
