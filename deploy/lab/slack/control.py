"""What is not Slack: acting as a person, reading what is there, and causing trouble, all under /_lab/.

No authentication: it listens on loopback, as everything of the stand-in.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from deploy.lab.slack import faults, person
from deploy.lab.slack.deliver import Ack, Delivery, Forgery
from deploy.lab.slack.person import Person, PersonError
from deploy.lab.slack.socketmode import Sockets
from deploy.lab.slack.transcript import Transcript
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel, User

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REASONS = ("warning", "refresh_requested", "link_disabled")


class Control:
    """The handlers below /_lab/."""

    def __init__(self, workspace: Workspace, sockets: Sockets, delivery: Delivery) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._person = Person(workspace, delivery)

    def routes(self) -> list[web.RouteDef]:
        """For aiohttp."""
        acting: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "command": self._command,
            "click": self._click,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "mention": self._mention,
            "say": self._say,
            "faults": self._faults,
            "request-url": self._request_url,
            "limits": self._limits,
            "scopes": self._scopes,
            "channel": self._channel,
            "join": self._join,
            "disconnect": self._disconnect,
            "keep": self._keep,
        }
        return [
            *(web.post(f"/_lab/{name}", _answering(act)) for name, act in acting.items()),
            web.delete("/_lab/faults", self._no_faults),
            web.get("/_lab/thread", self._read_thread),
            web.get("/_lab/channel", self._read_channel),
            web.get("/_lab/ephemeral", self._read_ephemeral),
            web.get("/_lab/state", self._state),
        ]

    async def _command(self, body: Json) -> Json:
        user = self._person.user(body)
        forgery = Forgery(
            wrong_signature=bool(body.get("wrong_signature")),
            age=int(body.get("age", 0)),
            extra={str(name): str(value) for name, value in body.get("extra", {}).items()},
        )
        if forgery != Forgery() and self._sockets.connected:
            raise PersonError("signatures and form fields exist over HTTP only; the app is on Socket Mode")
        acks, shown = await self._person.command(
            user,
            self._person.channel(body, user),
            str(body.get("command") or "/podcap"),
            str(body.get("text", "")),
            smart=bool(body.get("smart")),
            times=int(body.get("times", 1)),
            forgery=forgery,
        )
        return {**_acks(acks), "shown": shown.as_json() if shown else None}

    async def _click(self, body: Json) -> Json:
        user = self._person.user(body)
        acks = await self._person.click(
            user,
            self._person.channel(body, user),
            str(body["action_id"]),
            ts=body.get("ts"),
            option=body.get("option"),
            times=int(body.get("times", 1)),
        )
        return _acks(acks)

    async def _shortcut(self, body: Json) -> Json:
        user = self._person.user(body)
        channel = self._person.channel(body, user)
        return _acks([await self._person.shortcut(user, channel, str(body["ts"]), str(body["callback_id"]))])

    async def _submit(self, body: Json) -> Json:
        user = self._person.user(body)
        return _acks([await self._person.submit(user, body.get("view_id"), body.get("values") or {})])

    async def _mention(self, body: Json) -> Json:
        return await self._say({**body, "text": f"<@{self._workspace.world.bot.id}> {body.get('text', '')}"})

    async def _say(self, body: Json) -> Json:
        user = self._person.user(body)
        channel = self._person.channel(body, user)
        message, ack = await self._person.say(
            user, channel, str(body.get("text", "")), thread_ts=body.get("thread_ts")
        )
        return {"ts": message["ts"], **(_acks([ack]) if ack else {})}

    async def _faults(self, body: Json) -> Json:
        self._workspace.faults.add(faults.parse(body))
        return {"faults": self._workspace.faults.as_json()}

    async def _no_faults(self, _request: web.Request) -> web.StreamResponse:
        self._workspace.faults.clear()
        return web.json_response({"faults": []})

    async def _request_url(self, body: Json) -> Json:
        self._workspace.request_url = body["url"] or None
        return {"url": self._workspace.request_url}

    async def _limits(self, body: Json) -> Json:
        limits = self._workspace.limits
        limits.scale = float(body.get("scale", limits.scale))
        limits.burst = int(body.get("burst", limits.burst))
        return {"scale": limits.scale, "burst": limits.burst}

    async def _scopes(self, body: Json) -> Json:
        self._workspace.scopes = tuple(str(scope) for scope in body["scopes"])
        return {"scopes": self._workspace.scopes}

    async def _channel(self, body: Json) -> Json:
        channel = self._workspace.world.channel(str(body["channel"]))
        if channel is None:
            raise PersonError(f"there is no channel {body['channel']}")
        for name in ("is_archived", "is_ext_shared", "is_private"):
            if name in body:
                setattr(channel, name, bool(body[name]))
        bot = self._workspace.world.bot.id
        if "bot" in body and bool(body["bot"]) != (bot in channel.members):
            (channel.members.append if body["bot"] else channel.members.remove)(bot)
        return asdict(channel)

    async def _join(self, body: Json) -> Json:
        world, names = self._workspace.world, [str(name) for name in body["users"]]
        places = list(map(str, body.get("channels", []))), list(map(str, body.get("groups", [])))
        return {"users": {name: world.join(name, *places).id for name in names}}

    async def _keep(self, body: Json) -> Json:
        self._workspace.keeping = bool(body["on"])
        return {"keeping": self._workspace.keeping}

    async def _disconnect(self, body: Json) -> Json:
        reason = body.get("reason")
        if reason is None:
            self._sockets.cut()
        elif reason in _REASONS:
            await self._sockets.disconnect(str(reason))
        else:
            raise PersonError(f"a reason is one of {', '.join(_REASONS)}, or none for a broken connection")
        return {"connected": self._sockets.connected}

    async def _read_thread(self, request: web.Request) -> web.StreamResponse:
        channel = self._asked_channel(request)
        return web.Response(text=self._transcript(request).thread(channel, request.query.get("ts")))

    async def _read_channel(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._transcript(request).channel(self._asked_channel(request)))

    async def _read_ephemeral(self, request: web.Request) -> web.StreamResponse:
        user = self._asked_user(request)
        if user is None:
            raise web.HTTPBadRequest(text="whose? say ?user=NAME")
        return web.Response(text=self._transcript(request).ephemeral(user))

    def _transcript(self, request: web.Request) -> Transcript:
        colour = request.query.get("colour") == "1"
        return Transcript(self._workspace, colour=colour, reader=self._asked_user(request))

    def _asked_user(self, request: web.Request) -> User | None:
        name = request.query.get("user")
        user = self._workspace.world.user(name) if name else None
        if name and user is None:
            raise web.HTTPNotFound(text=f"there is nobody called {name}")
        return user

    def _asked_channel(self, request: web.Request) -> Channel:
        name = request.query.get("channel", "")
        try:
            return person.channel_of(self._workspace, name, self._asked_user(request))
        except PersonError as error:
            raise web.HTTPNotFound(text=str(error)) from None

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        workspace = self._workspace
        files = {
            file.id: {**file.as_json(workspace.base_url), "path": str(file.path)}
            for file in workspace.files.files.values()
            if file.shared and not file.deleted
        }
        return web.json_response(
            {
                "team_id": workspace.world.team_id,
                "users": {user.name: user.id for user in workspace.world.users.values()},
                "channels": {
                    channel.name or channel.id: asdict(channel)
                    for channel in workspace.world.channels.values()
                },
                "messages": {
                    workspace.world.channels[id_].name or id_: list(messages.values())
                    for id_, messages in workspace.messages.channels.items()
                },
                "ephemeral": [asdict(shown) for shown in workspace.messages.ephemeral],
                "files": files,
                "unfinished_files": [file.id for file in workspace.files.files.values() if not file.shared],
                "views": {view.id: view.view for view in workspace.views.values()},
                "calls": workspace.calls.as_json(),
                "faults": workspace.faults.as_json(),
                "sockets": self._sockets.connected,
                "request_url": workspace.request_url,
            }
        )


def _acks(acks: list[Ack]) -> Json:
    all_ = [
        {
            "ack_status": ack.status,
            "ack_ms": ack.milliseconds,
            "ack_body": ack.body,
            "error": ack.error,
        }
        for ack in acks
    ]
    return {**all_[0], "acks": all_}


def _answering(act: Callable[[Json], Awaitable[Json]]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read() or b"{}")
            return web.json_response(await act(body))
        except KeyError as error:
            return web.json_response({"error": f"missing: {error.args[0]}"}, status=400)
        except (ValueError, TypeError, AttributeError, PersonError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer
