"""conversations.*: channels, their members and their messages."""

from typing import Any

from deploy.lab.slack import scopes
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.messages import Message
from deploy.lab.slack.webapi.paging import page
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel

Json = dict[str, Any]

_TYPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
_BY_PAGE = 100


def info(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.info."""
    channel = _readable(workspace, arguments, "read")
    described = as_json(workspace, channel)
    if arguments.flag("include_num_members"):
        described["num_members"] = len(channel.members)
    return {"channel": described}


def list_(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.list. As in Slack, archived ones are left out of a page after it was cut."""
    types = (arguments.text("types") or "public_channel").replace(" ", "").split(",")
    for kind in types:
        if kind not in _TYPES:
            raise SlackError("invalid_types")
        if _TYPES[kind] not in workspace.scopes:
            raise scopes.missing(_TYPES[kind], workspace.scopes)
    world = workspace.world
    visible = [
        channel
        for channel in world.channels.values()
        if _type(channel) in types and world.sees(world.bot, channel)
    ]
    shown, metadata = page(visible, arguments, default=_BY_PAGE)
    if arguments.flag("exclude_archived"):
        shown = [channel for channel in shown if not channel.is_archived]
    return {"channels": [as_json(workspace, channel) for channel in shown], **metadata}


def join(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.join: public channels only."""
    channel = workspace.channel(arguments.required("channel"))
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    already = workspace.world.has_bot(channel)
    if not already:
        channel.members.append(workspace.world.bot.id)
    answer: Json = {"channel": as_json(workspace, channel)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def members(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.members."""
    channel = _readable(workspace, arguments, "read")
    shown, metadata = page(channel.members, arguments)
    return {"members": shown, **metadata}


def history(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.history: newest first, without replies."""
    channel = _readable(workspace, arguments, "history")
    if not workspace.world.has_bot(channel):
        raise SlackError("not_in_channel")
    messages = _within(workspace.messages.top_level(channel.id), arguments)
    return _messages(messages[::-1], arguments)


def replies(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.replies: the parent and its replies, oldest first."""
    channel = _readable(workspace, arguments, "history")
    if not workspace.world.has_bot(channel):
        raise SlackError("not_in_channel")
    ts = arguments.required("ts")
    message = workspace.messages.get(channel.id, ts)
    if message is None:
        raise SlackError("thread_not_found")
    parent_ts = message.get("thread_ts", ts)
    thread = workspace.messages.thread(channel.id, parent_ts)
    parent = [message for message in thread if message["ts"] == parent_ts]
    rest = [message for message in thread if message["ts"] != parent_ts]
    return _messages([*parent, *_within(rest, arguments)], arguments)


def as_json(workspace: Workspace, channel: Channel) -> Json:
    """The channel object that Slack returns."""
    world = workspace.world
    if channel.is_im:
        other = next((id_ for id_ in channel.members if id_ != world.bot.id), world.bot.id)
        return {
            "id": channel.id,
            "created": channel.created,
            "is_archived": False,
            "is_im": True,
            "is_org_shared": False,
            "user": other,
            "is_user_deleted": False,
            "context_team_id": world.team_id,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.name == "general",
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "is_org_shared": False,
        "is_member": world.has_bot(channel),
        "created": channel.created,
        "creator": channel.members[0],
        "context_team_id": world.team_id,
        "shared_team_ids": [world.team_id],
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _type(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def _readable(workspace: Workspace, arguments: Arguments, kind: str) -> Channel:
    id_ = arguments.required("channel")
    if id_ not in workspace.world.channels:
        raise SlackError("channel_not_found")
    channel = workspace.channel(id_)
    scopes.check_conversation(kind, channel, workspace.scopes)
    return channel


def _within(messages: list[Message], arguments: Arguments) -> list[Message]:
    bounds = {}
    for name in ("oldest", "latest"):
        value = arguments.text(name)
        try:
            bounds[name] = float(value) if value else None
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None
    oldest, latest, inclusive = bounds["oldest"], bounds["latest"], arguments.flag("inclusive")

    def inside(message: Message) -> bool:
        at = float(message["ts"])
        if inclusive and at in (oldest, latest):
            return True
        return (oldest is None or at > oldest) and (latest is None or at < latest)

    return [message for message in messages if inside(message)]


def _messages(messages: list[Message], arguments: Arguments) -> Json:
    shown, metadata = page(messages, arguments, default=_BY_PAGE)
    with_metadata = arguments.flag("include_all_metadata")
    return {
        "messages": [
            {key: value for key, value in message.items() if with_metadata or key != "metadata"}
            for message in shown
        ],
        "has_more": bool(metadata["response_metadata"]["next_cursor"]),
        **metadata,
    }
