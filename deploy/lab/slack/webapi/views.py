"""views.open: a modal for the user whose trigger id this is."""

from typing import Any

from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.blockkit import views
from deploy.lab.slack.errors import invalid_arguments
from deploy.lab.slack.workspace import View, Workspace
from deploy.lab.slack.world import slack_id

Json = dict[str, Any]


def open_(workspace: Workspace, arguments: Arguments) -> Json:
    """views.open."""
    trigger_id = arguments.required("trigger_id")
    view = arguments.json("view", "invalid_arguments")
    if view is None:
        raise invalid_arguments("missing required field: view")
    checked = views.check(view, workspace.files.can_be_shown)
    user = workspace.expiring.exchange(trigger_id)
    id_ = slack_id("V", trigger_id)
    world = workspace.world
    full = {
        "id": id_,
        "team_id": world.team_id,
        "private_metadata": "",
        "callback_id": "",
        "state": {"values": {}},
        "hash": f"{workspace.clock():.0f}.lab",
        "root_view_id": id_,
        "previous_view_id": None,
        "app_id": world.app_id,
        "bot_id": world.bot_id,
        **checked,
    }
    workspace.views[id_] = View(id_, user, full)
    return {"view": full}
