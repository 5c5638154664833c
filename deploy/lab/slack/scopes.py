"""Which scope each method needs (Slack's method reference)."""

from collections.abc import Collection

from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.world import Channel

BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:read",
    "mpim:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
"""What the app is granted at first. Not among them: chat:write.public and chat:write.customize."""

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

METHODS: dict[str, tuple[str, ...]] = {
    "api.test": (),
    "apps.connections.open": (),
    "auth.test": (),
    "chat.delete": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.join": ("channels:join",),
    "conversations.list": _READ,
    "conversations.members": _READ,
    "conversations.replies": _HISTORY,
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "reactions.add": ("reactions:write",),
    "team.info": ("team:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
}
"""By method, the scopes of which one suffices; none means that any token will do."""


def check(method: str, granted: Collection[str]) -> None:
    """Refuses a method whose scope was not granted.

    Raises:
        SlackError: `missing_scope`.
    """
    needed = METHODS[method]
    if needed and not set(needed) & set(granted):
        raise missing(",".join(needed), granted)


def check_conversation(kind: str, channel: Channel, granted: Collection[str]) -> None:
    """Refuses a conversation of a type whose scope was not granted.

    Args:
        kind: `read` or `history`.
        channel: The conversation asked for.
        granted: The token's scopes.

    Raises:
        SlackError: `missing_scope`.
    """
    family = "im" if channel.is_im else "groups" if channel.is_private else "channels"
    if f"{family}:{kind}" not in granted:
        raise missing(f"{family}:{kind}", granted)


def missing(needed: str, granted: Collection[str]) -> SlackError:
    """The refusal for want of a scope."""
    return SlackError("missing_scope", needed=needed, provided=",".join(granted))
