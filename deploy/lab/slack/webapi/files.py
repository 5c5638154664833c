"""files.*: the three steps of an upload, and looking after it."""

import secrets
import shutil
from typing import Any

from deploy.lab.slack import content
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError, invalid_arguments
from deploy.lab.slack.files import File
from deploy.lab.slack.share import Share, share_later
from deploy.lab.slack.webapi.chat import parent
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel

Json = dict[str, Any]

_LONGEST_ALT_TEXT = 1000


def get_upload_url(workspace: Workspace, arguments: Arguments) -> Json:
    """files.getUploadURLExternal."""
    name = arguments.required("filename")
    length = arguments.required("length")
    if not length.isdigit():
        raise invalid_arguments("must provide an integer [json-pointer:/length]")
    if int(length) == 0:
        raise SlackError("missing_argument")
    if int(length) > workspace.files.largest:
        raise SlackError("file_upload_size_restricted")
    alt_txt = arguments.text("alt_txt")
    if len(alt_txt) > _LONGEST_ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    ticket = secrets.token_urlsafe(24)
    file = workspace.files.announce(name, int(length), workspace.world.bot.id, ticket, alt_txt)
    return {"upload_url": f"{workspace.base_url}/upload/v1/{ticket}", "file_id": file.id}


def complete_upload(workspace: Workspace, arguments: Arguments) -> Json:
    """files.completeUploadExternal; the message that shows the files comes a moment later."""
    completed = _uploaded(workspace, arguments)
    channel = _channel(workspace, arguments)
    thread_ts = arguments.text("thread_ts")
    fields: Json = {"text": arguments.text("initial_comment")}
    if len(fields["text"]) > content.LONGEST_TEXT:
        raise SlackError("msg_too_long")
    # Beside a comment Slack does not look at the blocks.
    blocks = None if fields["text"] else arguments.json("blocks", "invalid_blocks")
    if blocks is not None:
        fields["blocks"] = workspace.check_blocks(blocks)
        if any(block["type"] == "markdown" for block in blocks):
            # slackapi/python-slack-sdk#1756: Slack fails at what chat.postMessage takes.
            raise SlackError("internal_error")
    if channel is not None and thread_ts:
        fields["thread_ts"] = parent(workspace, channel, thread_ts)["ts"]
    for file, title in completed:
        file.completed = True
        file.title = title
    files = [file for file, _ in completed]
    share_later(workspace, Share(files, channel, fields))
    return {"files": [file.as_json(workspace.base_url) for file in files]}


def info(workspace: Workspace, arguments: Arguments) -> Json:
    """files.info."""
    file = _file(workspace, arguments)
    return {
        "file": file.as_json(workspace.base_url),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


def delete(workspace: Workspace, arguments: Arguments) -> Json:
    """files.delete: its messages show that it is gone."""
    file = _file(workspace, arguments)
    if file.owner != workspace.world.bot.id:
        raise SlackError("cant_delete_file")
    file.deleted = True
    shutil.rmtree(file.path.parent, ignore_errors=True)
    for _, message in workspace.messages:
        if any(shown["id"] == file.id for shown in message.get("files", [])):
            message["files"] = [
                file.as_json(workspace.base_url) if shown["id"] == file.id else shown
                for shown in message["files"]
            ]
    return {}


def _file(workspace: Workspace, arguments: Arguments) -> File:
    file = workspace.files.files.get(arguments.required("file"))
    # Until its upload is completed a file is known to nobody but its upload URL.
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    if file.deleted:
        raise SlackError("file_deleted")
    return file


def _uploaded(workspace: Workspace, arguments: Arguments) -> list[tuple[File, str]]:
    listed = arguments.json("files", "invalid_arguments")
    if not listed:
        raise invalid_arguments("missing required field: files")
    if not isinstance(listed, list) or not all(isinstance(item, dict) and "id" in item for item in listed):
        raise invalid_arguments("must provide an object [json-pointer:/files/0]")
    found = []
    for item in listed:
        file = workspace.files.files.get(str(item["id"]))
        if file is None or not file.received or file.completed:
            raise SlackError("file_not_found")
        found.append((file, str(item.get("title") or file.name)))
    return found


def _channel(workspace: Workspace, arguments: Arguments) -> Channel | None:
    ids = arguments.text("channel_id") or arguments.text("channels")
    if not ids:
        return None
    if "," in ids:
        raise invalid_arguments("one channel is enough [json-pointer:/channels]")
    if ids not in workspace.world.channels:
        raise SlackError("channel_not_found")
    channel = workspace.channel(ids)
    if channel.is_archived:
        raise SlackError("posting_to_channel_denied")
    if not workspace.world.has_bot(channel):
        raise SlackError("not_in_channel")
    return channel
