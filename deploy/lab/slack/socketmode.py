"""Socket Mode: websockets that an app opens, and the envelopes on them (Slack's guide to Socket Mode)."""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from deploy.lab.slack.workspace import Workspace

Json = dict[str, Any]

_MOST_CONNECTIONS = 10
_TICKET_SECONDS = 30.0
_PING_SECONDS = 10.0
_LATE_SECONDS = 60.0


class NotAcknowledgedError(Exception):
    """No ack came in time; the message is what Slack tells the user."""


@dataclass(slots=True)
class _Waiting:
    """An envelope that is not acknowledged yet."""

    accepts_payload: bool
    kind: str
    ack: "asyncio.Future[Any]"


@dataclass(slots=True)
class Sockets:
    """The app's connections. An envelope goes to one of them, each in turn."""

    workspace: Workspace
    _open: dict[web.WebSocketResponse, asyncio.Transport | None] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _turn: "count[int]" = field(default_factory=count)

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Answers `/link/?ticket=…`: one connection, until its end."""
        given = self.workspace.tickets.pop(request.query.get("ticket", ""), None)
        if given is None or self.workspace.clock() - given > _TICKET_SECONDS:
            return web.Response(status=404, text="This ticket is unknown, used or expired")
        if len(self._open) >= _MOST_CONNECTIONS:
            return web.Response(status=429, text="Too many websockets")
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS)
        await socket.prepare(request)
        self._open[socket] = request.transport
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._read(message.data)
        finally:
            self._forget(socket)
        return socket

    async def send(self, envelope: Json) -> Any:
        """Sends an envelope on one connection.

        Returns:
            The payload of its ack, or None.

        Raises:
            NotAcknowledgedError: `operation_timeout` after three seconds, or `dispatch_failed`.
        """
        id_ = secrets.token_hex(16)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(envelope["accepts_response_payload"], envelope["type"], loop.create_future())
        self._waiting[id_] = waiting
        socket = list(self._open)[next(self._turn) % len(self._open)]
        try:
            await socket.send_json({"envelope_id": id_, **envelope})
            return await asyncio.wait_for(waiting.ack, self.workspace.ack_within)
        except TimeoutError:
            raise NotAcknowledgedError("operation_timeout") from None
        except ConnectionError:
            raise NotAcknowledgedError("dispatch_failed") from None
        finally:
            # Kept a little longer, so that a late ack is known as late.
            self.workspace.later(_LATE_SECONDS, lambda: self._waiting.pop(id_, None))

    async def disconnect(self, reason: str) -> None:
        """Tells every connection that it will be closed, and closes it.

        Args:
            reason: `warning` (closed a moment later by `refresh_requested`), `refresh_requested` or
                `link_disabled`.
        """
        for socket in list(self._open):
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-lab"}}
            )
            if reason != "warning":
                self._forget(socket)
                await socket.close()

    def cut(self) -> None:
        """Breaks every connection without a word."""
        for socket, transport in list(self._open.items()):
            self._forget(socket)
            if transport is not None:
                transport.abort()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self.workspace.world.app_id},
            "debug_info": {
                "host": "applink-lab",
                "build_number": 1,
                "approximate_connection_time": 3600,
            },
        }

    def _read(self, data: str) -> None:
        try:
            ack = json.loads(data)
            id_ = ack["envelope_id"]
        except (ValueError, TypeError, KeyError):
            self.workspace.calls.object("socket mode: something came that is not an ack")
            return
        waiting = self._waiting.get(id_)
        if waiting is None:
            self.workspace.calls.object("socket mode: an ack for an unknown envelope")
        elif waiting.ack.done():
            self.workspace.calls.object(f"socket mode: a second or late ack for {waiting.kind}")
        else:
            if ack.get("payload") and not waiting.accepts_payload:
                self.workspace.calls.object(f"socket mode: an ack of {waiting.kind} takes no payload")
            waiting.ack.set_result(ack.get("payload") if waiting.accepts_payload else None)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        self._open.pop(socket, None)
