"""The kubelet's HTTP: what the API server asks of a node."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from deploy.lab.kubelet.container import Container
from deploy.lab.kubelet.container_log import ContainerLog, LogQuery
from deploy.lab.kubelet.exec import ExecRequest, Execs
from deploy.lab.kubelet.kubelet import Kubelet
from deploy.lab.kubelet.since import parse_since

_TRUE = {"1", "true"}


def application(kubelet: Kubelet) -> web.Application:
    """The routes."""
    server = _Server(kubelet)
    app = web.Application(client_max_size=16 * 2**20)
    app.add_routes(
        [
            web.get("/healthz", server.healthz),
            web.get("/status", server.status),
            web.put("/proxy", server.proxy),
            web.put("/pods/{uid}", server.put_pod),
            web.delete("/pods/{uid}", server.delete_pod),
            web.get("/pods/{uid}/log", server.log),
            web.get("/pods/{uid}/exec", server.exec),
        ]
    )
    app.on_response_prepare.append(_plain_handshake)
    return app


async def _plain_handshake(_request: web.Request, response: web.StreamResponse) -> None:
    """A kubelet's websocket handshake has the headers of the protocol and no others."""
    if isinstance(response, web.WebSocketResponse):
        for name in ("Date", "Server", "Transfer-Encoding", "Content-Type"):
            response.headers.pop(name, None)


class _Server:
    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self._execs = Execs(kubelet.parts.runtime)

    async def healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def put_pod(self, request: web.Request) -> web.Response:
        pod = await request.json()
        if pod["metadata"]["uid"] != request.match_info["uid"]:
            raise web.HTTPBadRequest(text="the UID in the path is not the pod's")
        self._kubelet.run(pod)
        return web.json_response({})

    async def delete_pod(self, request: web.Request) -> web.Response:
        self._kubelet.delete(request.match_info["uid"], float(request.query.get("gracePeriodSeconds", 30)))
        return web.json_response({})

    async def proxy(self, request: web.Request) -> web.Response:
        done = await self._kubelet.parts.children.run(["nft", "-f", "-"], await request.text())
        if done.code:
            raise web.HTTPUnprocessableEntity(text=done.errors.decode(errors="replace"))
        return web.Response(text="")

    async def status(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        with self._kubelet.subscribed() as news, contextlib.suppress(ConnectionError):
            while True:
                await response.write(json.dumps(await news.get()).encode() + b"\n")
        return response

    async def log(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        try:
            query = _log_query(request.query)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        log = self._log(container, previous=request.query.get("previous") in _TRUE)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await _send(response, log.read(query))
        return response

    async def exec(self, request: web.Request) -> web.WebSocketResponse:
        container = self._container(request)
        if container.run is None or not container.state.running:
            raise web.HTTPInternalServerError(text=f'container not found ("{container.spec["name"]}")')
        try:
            wanted = ExecRequest.from_query(request.query, request.query.getall("command", []))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return await self._execs.serve(request, wanted, container.run)

    def _container(self, request: web.Request) -> Container:
        pod = self._kubelet.pods.get(request.match_info["uid"])
        if pod is None:
            raise web.HTTPNotFound(text=f"pod {request.match_info['uid']} does not exist")
        name = request.query.get("container") or next(iter(pod.containers))
        if name not in pod.containers:
            raise web.HTTPBadRequest(
                text=f"container {name} is not valid for pod {pod.pod['metadata']['name']}"
            )
        return pod.containers[name]

    def _log(self, container: Container, *, previous: bool) -> ContainerLog:
        name = container.spec["name"]
        if previous:
            if container.log_before is None:
                raise web.HTTPBadRequest(text=f'previous terminated container "{name}" not found')
            return container.log_before
        if container.run is None:
            reason = container.state.state.get("waiting", {}).get("reason", "ContainerCreating")
            raise web.HTTPBadRequest(text=f'container "{name}" is waiting to start: {reason}')
        return container.run.log


async def _send(response: web.StreamResponse, lines: AsyncIterator[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        async for line in lines:
            await response.write(line)
        await response.write_eof()


def _log_query(query: Mapping[str, str]) -> LogQuery:
    def number(name: str) -> int | None:
        return int(query[name]) if query.get(name) else None

    return LogQuery(
        follow=query.get("follow") in _TRUE,
        timestamps=query.get("timestamps") in _TRUE,
        tail_lines=number("tailLines"),
        since=parse_since(query.get("sinceTime"), number("sinceSeconds"), time.time_ns()),
        limit_bytes=number("limitBytes"),
    )
