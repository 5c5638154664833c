"""What Slack sends to an app: slash commands, interactions, events (Slack's payload reference)."""

import secrets
from typing import Any

from deploy.lab.slack.expiring import Original
from deploy.lab.slack.messages import Ephemeral, Message
from deploy.lab.slack.workspace import View, Workspace
from deploy.lab.slack.world import Channel, User

Json = dict[str, Any]


def slash_command(
    workspace: Workspace, user: User, channel: Channel, command: str, text: str
) -> tuple[dict[str, str], str]:
    """A slash command's fields, in Slack's order, and the key of its response URL.

    Args:
        workspace: Gives the trigger id and the response URL.
        user: Who typed it.
        channel: Where.
        command: With its slash.
        text: As sent, escaped.
    """
    world = workspace.world
    url = workspace.expiring.response_url(user.id, channel.id)
    fields = {
        "token": workspace.credentials.verification_token,
        "team_id": world.team_id,
        "team_domain": world.team_domain,
        "channel_id": channel.id,
        "channel_name": channel.name_in_payloads,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": _url(workspace, "commands", url.key),
        "trigger_id": workspace.expiring.trigger(user.id),
    }
    return fields, url.key


def block_actions(
    workspace: Workspace,
    user: User,
    channel: Channel,
    shown: Message | Ephemeral,
    element: Json,
    *,
    block_id: str,
    chosen: Json | None = None,
) -> Json:
    """A click on `element` of a message, or a choice in it."""
    is_ephemeral = isinstance(shown, Ephemeral)
    ts = shown.ts if isinstance(shown, Ephemeral) else shown["ts"]
    thread_ts = shown.thread_ts if isinstance(shown, Ephemeral) else shown.get("thread_ts")
    container: Json = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if thread_ts:
        container["thread_ts"] = thread_ts
    original = Original(channel.id, ts, is_ephemeral)
    url = workspace.expiring.response_url(user.id, channel.id, thread_ts, original)
    action: Json = {
        "type": element["type"],
        "action_id": element.get("action_id", ""),
        "block_id": block_id,
        **{key: element[key] for key in ("text", "value", "style", "url") if key in element},
        "action_ts": workspace.messages.timestamp(),
    }
    state: Json = {"values": {}}
    if chosen is not None:
        action["selected_option"] = chosen
        value = {"type": element["type"], "selected_option": chosen}
        state["values"] = {block_id: {action["action_id"]: value}}
    payload = {
        "type": "block_actions",
        **_about(workspace, user),
        "container": container,
        "trigger_id": workspace.expiring.trigger(user.id),
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "state": state,
        "response_url": _url(workspace, "actions", url.key),
        "actions": [action],
    }
    if not isinstance(shown, Ephemeral):
        payload["message"] = _public(shown)
    return payload


def message_action(
    workspace: Workspace, user: User, channel: Channel, message: Message, callback_id: str
) -> Json:
    """A message shortcut."""
    url = workspace.expiring.response_url(
        user.id, channel.id, message.get("thread_ts"), Original(channel.id, message["ts"], is_ephemeral=False)
    )
    return {
        "type": "message_action",
        **_about(workspace, user),
        "action_ts": workspace.messages.timestamp(),
        "callback_id": callback_id,
        "trigger_id": workspace.expiring.trigger(user.id),
        "response_url": _url(workspace, "app", url.key),
        "message_ts": message["ts"],
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "message": _public(message),
    }


def view_submission(workspace: Workspace, user: User, view: View, values: Json) -> Json:
    """A modal sent off.

    Args:
        workspace: Gives the trigger id.
        user: Who sent it.
        view: As views.open answered it.
        values: The state, by block id and action id.
    """
    return {
        "type": "view_submission",
        **_about(workspace, user),
        "trigger_id": workspace.expiring.trigger(user.id),
        "view": {**view.view, "state": {"values": values}},
        "response_urls": [],
    }


def app_mention(workspace: Workspace, user: User, channel: Channel, message: Message) -> Json:
    """The event that the app was mentioned."""
    world = workspace.world
    event = {
        "type": "app_mention",
        "user": user.id,
        "ts": message["ts"],
        "client_msg_id": secrets.token_hex(16),
        "text": message["text"],
        "team": world.team_id,
        "channel": channel.id,
        "event_ts": message["ts"],
        "blocks": message.get("blocks", []),
    }
    if "thread_ts" in message:
        event["thread_ts"] = message["thread_ts"]
    return {
        "token": workspace.credentials.verification_token,
        "team_id": world.team_id,
        "api_app_id": world.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev0{secrets.token_hex(5).upper()}",
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": world.team_id,
                "user_id": world.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel.is_ext_shared,
        "event_context": f"4-{secrets.token_urlsafe(12)}",
    }


def _about(workspace: Workspace, user: User) -> Json:
    world = workspace.world
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": world.team_id},
        "api_app_id": world.app_id,
        "token": workspace.credentials.verification_token,
        "team": {"id": world.team_id, "domain": world.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _url(workspace: Workspace, kind: str, key: str) -> str:
    return f"{workspace.base_url}/{kind}/{workspace.world.team_id}/{key}"


def _public(message: Message) -> Json:
    return {name: value for name, value in message.items() if name != "metadata"}
