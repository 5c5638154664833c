"""What concerns the app and its workspace: api.test, auth.test, apps.*, team.*, reactions.*."""

import re
import secrets
from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.workspace import Workspace

Json = dict[str, Any]

_EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def api_test(_workspace: Workspace, arguments: Arguments) -> Json:
    """api.test: gives the arguments back, and the error that it was asked for."""
    if arguments.text("error"):
        raise SlackError(arguments.text("error"), args=arguments.values)
    return {"args": arguments.values}


def auth_test(workspace: Workspace, _arguments: Arguments) -> Json:
    """auth.test: whom the token belongs to."""
    world = workspace.world
    return {
        "url": f"https://{world.team_domain}.slack.com/",
        "team": world.team_name,
        "user": world.bot.name,
        "team_id": world.team_id,
        "user_id": world.bot.id,
        "bot_id": world.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(workspace: Workspace, _arguments: Arguments) -> Json:
    """apps.connections.open: a websocket URL that is good once, for half a minute."""
    ticket = secrets.token_urlsafe(16)
    workspace.tickets[ticket] = workspace.clock()
    socket = workspace.base_url.replace("http", "ws", 1)
    return {"url": f"{socket}/link/?ticket={ticket}&app_id={workspace.world.app_id}"}


def team_info(workspace: Workspace, _arguments: Arguments) -> Json:
    """team.info."""
    world = workspace.world
    return {
        "team": {
            "id": world.team_id,
            "name": world.team_name,
            "domain": world.team_domain,
            "email_domain": "example.com",
            "icon": {"image_default": True},
        }
    }


def reactions_add(workspace: Workspace, arguments: Arguments) -> Json:
    """reactions.add."""
    channel = workspace.channel(arguments.required("channel"))
    name = arguments.required("name").strip(":")
    message = workspace.messages.get(channel.id, arguments.required("timestamp"))
    if not _EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    if channel.is_archived:
        raise SlackError("is_archived")
    if message is None:
        raise SlackError("message_not_found")
    if not workspace.world.has_bot(channel):
        raise SlackError("not_in_channel")
    user = workspace.world.bot.id
    reaction = (channel.id, message["ts"], user, name)
    if reaction in workspace.reactions:
        raise SlackError("already_reacted")
    workspace.reactions.add(reaction)
    message.setdefault("reactions", []).append({"name": name, "users": [user], "count": 1})
    return {}
