"""users.*: people and bots."""

from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.webapi.paging import page
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import User

Json = dict[str, Any]


def info(workspace: Workspace, arguments: Arguments) -> Json:
    """users.info."""
    user = workspace.world.users.get(arguments.required("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": as_json(workspace, user)}


def list_(workspace: Workspace, arguments: Arguments) -> Json:
    """users.list."""
    shown, metadata = page(list(workspace.world.users.values()), arguments)
    return {
        "members": [as_json(workspace, user) for user in shown],
        "cache_ts": int(workspace.clock()),
        **metadata,
    }


def lookup_by_email(workspace: Workspace, arguments: Arguments) -> Json:
    """users.lookupByEmail."""
    email = arguments.required("email").lower()
    for user in workspace.world.users.values():
        if user.email == email:
            return {"user": as_json(workspace, user)}
    raise SlackError("users_not_found")


def as_json(workspace: Workspace, user: User) -> Json:
    """The user object that Slack returns; the address is there with the scope users:read.email only."""
    profile = {"real_name": user.real_name, "display_name": user.name, "team": workspace.world.team_id}
    if user.email and "users:read.email" in workspace.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": workspace.world.team_id,
        "name": user.name,
        "deleted": False,
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_label": "UTC",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
