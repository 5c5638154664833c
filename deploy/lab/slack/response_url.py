"""Response URLs: answers to a command or an interaction, up to five within 30 minutes."""

import json
from typing import Any

from aiohttp import web

from deploy.lab.slack import content
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.expiring import Original, ResponseUrl
from deploy.lab.slack.faults import Kind
from deploy.lab.slack.webapi.dispatch import break_off, cut
from deploy.lab.slack.workspace import Workspace

NAME = "response_url"
"""What faults and the log of calls name it."""


async def answer(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    """Answers a POST to a response URL: `ok`, or Slack's error with 404 (the URL) or 400 (the message)."""
    key = request.match_info["key"]
    url = workspace.expiring.urls.get(key)
    fault = workspace.faults.take(NAME, url.user if url is not None else "")
    values: dict[str, Any] = {}
    status, error = 200, None
    try:
        if fault is not None and fault.kind is Kind.RATELIMITED:
            return web.Response(status=429, headers={"Retry-After": str(max(1, round(fault.seconds)))})
        if fault is not None and fault.kind is not Kind.LOST:
            return await break_off(request, workspace, NAME, fault)
        values = await _body(request)
        _use(workspace, workspace.expiring.use(key), Arguments(values))
    except SlackError as refusal:
        error = refusal
        status = 404 if refusal.code in {"expired_url", "used_url"} else 400
    code = error.code if error is not None else None
    workspace.calls.note(NAME, values, status=status, error=code)
    if fault is not None and fault.kind is Kind.LOST:
        return cut(request)
    if error is not None:
        workspace.calls.object(f"response_url: {code}")
        return web.json_response(error.body(), status=status)
    return web.Response(text="ok")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        values = json.loads(await request.read())
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(values, dict):
        raise SlackError("invalid_payload")
    return values


def _use(workspace: Workspace, url: ResponseUrl, arguments: Arguments) -> None:
    if arguments.flag("delete_original"):
        _delete(workspace, url.original)
        url.original = None
        return
    fields = content.read(workspace, arguments, where=NAME).fields()
    if arguments.flag("replace_original") and _replace(workspace, url.original, fields):
        return
    thread_ts = arguments.text("thread_ts") or url.thread_ts
    sender = workspace.world.bot.id
    if arguments.text("response_type") == "in_channel":
        reply = {"thread_ts": thread_ts} if thread_ts else {}
        message = workspace.messages.post(url.channel, {**workspace.bot_author, **fields, **reply})
        new = Original(url.channel, message["ts"], is_ephemeral=False)
    else:
        shown = workspace.messages.post_ephemeral(url.channel, url.user, fields, sender, thread_ts)
        new = Original(url.channel, shown.ts, is_ephemeral=True)
    url.original = url.original or new


def _delete(workspace: Workspace, original: Original | None) -> None:
    if original is None:
        return
    messages = workspace.messages
    if original.is_ephemeral:
        messages.ephemeral = [shown for shown in messages.ephemeral if shown.ts != original.ts]
    elif messages.get(original.channel, original.ts) is not None:
        messages.delete(original.channel, original.ts)


def _replace(workspace: Workspace, original: Original | None, fields: dict[str, Any]) -> bool:
    if original is None:
        return False
    messages = workspace.messages
    if original.is_ephemeral:
        for shown in messages.ephemeral:
            if shown.ts == original.ts:
                shown.message = fields
                return True
        return False
    message = messages.get(original.channel, original.ts)
    if message is None or message.get("bot_id") != workspace.world.bot_id:
        return False
    for part in ("blocks", "attachments"):
        message.pop(part, None)
    message.update(fields)
    message["edited"] = {"user": workspace.world.bot.id, "ts": messages.timestamp()}
    return True
