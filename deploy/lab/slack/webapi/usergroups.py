"""usergroups.*: user groups and who is in them."""

from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.workspace import Workspace

Json = dict[str, Any]


def list_(workspace: Workspace, arguments: Arguments) -> Json:
    """usergroups.list."""
    listed = []
    for group in workspace.world.groups.values():
        described: Json = {
            "id": group.id,
            "team_id": workspace.world.team_id,
            "is_usergroup": True,
            "name": group.name,
            "handle": group.handle,
            "description": "",
            "is_external": False,
            "date_delete": 0,
        }
        if arguments.flag("include_users"):
            described["users"] = list(group.users)
        if arguments.flag("include_count"):
            described["user_count"] = len(group.users)
        listed.append(described)
    return {"usergroups": listed}


def users_list(workspace: Workspace, arguments: Arguments) -> Json:
    """usergroups.users.list."""
    group = workspace.world.groups.get(arguments.required("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}
