"""One call of the Web API: who calls, may it, is it too often, what does it answer."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from deploy.lab.slack import arguments as arguments_
from deploy.lab.slack import scopes
from deploy.lab.slack.arguments import Arguments
from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.faults import Fault, Kind
from deploy.lab.slack.webapi import apps, chat, conversations, files, usergroups, users, views
from deploy.lab.slack.workspace import Workspace

Method = Callable[[Workspace, Arguments], dict[str, Any]]

METHODS: dict[str, Method] = {
    "api.test": apps.api_test,
    "apps.connections.open": apps.connections_open,
    "auth.test": apps.auth_test,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_,
    "conversations.members": conversations.members,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.delete": files.delete,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.info": files.info,
    "reactions.add": apps.reactions_add,
    "team.info": apps.team_info,
    "usergroups.list": usergroups.list_,
    "usergroups.users.list": usergroups.users_list,
    "users.info": users.info,
    "users.list": users.list_,
    "users.lookupByEmail": users.lookup_by_email,
    "views.open": views.open_,
}
"""Every method there is; any other is `unknown_method`."""

_RETIRED = {"files.upload": "method_deprecated"}
_APP_LEVEL = {"apps.connections.open"}


async def call(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    """Answers `/api/METHOD`."""
    method = request.match_info["method"]
    arguments = Arguments({})
    fault: Fault | None = None
    status, after = 200, None
    try:
        if method not in METHODS:
            raise SlackError(_RETIRED.get(method, "unknown_method"), req_method=method)  # noqa: TRY301, one way out
        arguments = await arguments_.read(request, method)
        _authenticate(workspace, request, method, arguments)
        fault = workspace.faults.take(method, json.dumps(arguments.values, ensure_ascii=False))
        after = _rate(workspace, method, arguments, fault)
        if after is not None:
            status = 429
            raise SlackError("ratelimited")  # noqa: TRY301, likewise
        if fault is not None and fault.kind is not Kind.LOST:
            return await break_off(request, workspace, method, fault)
        body = {"ok": True, **METHODS[method](workspace, arguments)}
    except SlackError as error:
        body = error.body()
    _warn(body, arguments)
    _note(workspace, method, arguments, status, body)
    if fault is not None and fault.kind is Kind.LOST:
        return cut(request)
    response = web.json_response(body, status=status)
    response.headers["X-OAuth-Scopes"] = ",".join(workspace.scopes)
    response.headers["X-Accepted-OAuth-Scopes"] = ",".join(scopes.METHODS.get(method, ()))
    if after is not None:
        response.headers["Retry-After"] = str(after)
    return response


async def break_off(
    request: web.Request, workspace: Workspace, method: str, fault: Fault
) -> web.StreamResponse:
    """Answers with a fault, where nothing else happens.

    Raises:
        SlackError: For a fault that is an error code.
    """
    if fault.kind is Kind.ERROR:
        raise SlackError(fault.error)
    workspace.calls.note(method, {}, status=0 if fault.kind is Kind.HANG else 500, error=fault.kind.value)
    if fault.kind is Kind.HANG:
        await workspace.faults.hang(fault)
        return cut(request)
    return web.Response(status=500, text="Internal Server Error")


def cut(request: web.Request) -> web.StreamResponse:
    """Closes the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _authenticate(workspace: Workspace, request: web.Request, method: str, arguments: Arguments) -> None:
    if "token" in request.query:
        workspace.calls.object(f"{method}: a token in the query of a URL, where logs keep it")
        raise SlackError("not_authed")
    in_form = str(arguments.values.pop("token", "") or "")
    kind, _, in_header = request.headers.get("Authorization", "").partition(" ")
    token = in_header.strip() if kind.lower() == "bearer" else in_form
    if method == "api.test":
        return
    if not token:
        raise SlackError("not_authed")
    known = workspace.credentials
    if token not in {known.bot_token, known.app_token}:
        raise SlackError("invalid_auth")
    if (token == known.app_token) != (method in _APP_LEVEL):
        raise SlackError("not_allowed_token_type")
    if method in _APP_LEVEL and request.method != "POST":
        raise SlackError("insecure_request")
    scopes.check(method, workspace.scopes)


def _rate(workspace: Workspace, method: str, arguments: Arguments, fault: Fault | None) -> int | None:
    if fault is not None and fault.kind is Kind.RATELIMITED:
        return max(1, round(fault.seconds))
    channel = str(arguments.values.get("channel") or "") or None
    if workspace.limits.too_early(method, channel):
        workspace.calls.object(f"{method}: called again before Retry-After had passed")
    return workspace.limits.refuse(method, channel)


def _warn(body: dict[str, Any], arguments: Arguments) -> None:
    if arguments.warnings:
        body["warning"] = ",".join(arguments.warnings)
        body.setdefault("response_metadata", {})["warnings"] = arguments.warnings


def _note(workspace: Workspace, method: str, arguments: Arguments, status: int, body: dict[str, Any]) -> None:
    error = body.get("error")
    workspace.calls.note(method, arguments.values, status=status, error=error)
    if error in {"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_blocks_too_long"}:
        workspace.calls.object(f"{method}: {error} {body.get('response_metadata', {}).get('messages', '')}")
