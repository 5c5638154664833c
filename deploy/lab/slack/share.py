"""The message that shows completed files: Slack posts it some time after it took them."""

from dataclasses import dataclass
from typing import Any

from deploy.lab.slack.files import File
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel


@dataclass(frozen=True, slots=True)
class Share:
    """Files that are to be shown.

    Attributes:
        channel: Where; None for nowhere.
        fields: Of the message.
    """

    files: list[File]
    channel: Channel | None
    fields: dict[str, Any]


def share_later(workspace: Workspace, share: Share) -> None:
    """Shares them after `share_after` seconds."""
    workspace.shares.append(share)
    workspace.later(workspace.share_after, lambda: _share(workspace, share))


def _share(workspace: Workspace, share: Share) -> None:
    workspace.shares.remove(share)
    for file in share.files:
        file.shared = True
    shown = [file for file in share.files if not file.deleted]
    if share.channel is None or not shown:
        return
    message = workspace.messages.post(
        share.channel.id, {**workspace.bot_author, "upload": True, "subtype": "file_share", **share.fields}
    )
    for file in shown:
        file.share(share.channel, message)
    message["files"] = [file.as_json(workspace.base_url) for file in shown]
