"""The stand-in as one HTTP server on loopback."""

import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from deploy.lab.slack import response_url, upload
from deploy.lab.slack.control import Control
from deploy.lab.slack.deliver import Delivery
from deploy.lab.slack.kept import keep, kept_at, restore
from deploy.lab.slack.socketmode import Sockets
from deploy.lab.slack.webapi import dispatch
from deploy.lab.slack.workspace import Workspace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LARGEST_BODY = 4 << 20
_SHUTDOWN_SECONDS = 0.5


def make_app(workspace: Workspace) -> web.Application:
    """The application of a workspace."""
    sockets = Sockets(workspace)
    delivery = Delivery(workspace, sockets)

    async def call(request: web.Request) -> web.StreamResponse:
        return await dispatch.call(workspace, request)

    async def receive(request: web.Request) -> web.StreamResponse:
        return await upload.receive(workspace, request)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await response_url.answer(workspace, request)

    async def download(request: web.Request) -> web.StreamResponse:
        return _download(workspace, request)

    async def close(_app: web.Application) -> None:
        sockets.cut()
        await delivery.close()

    @web.middleware
    async def kept(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            if workspace.keeping and request.method != "GET":
                keep(workspace, _kept_path(workspace.folder))

    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[kept])
    app.router.add_route("GET", "/api/{method}", call)
    app.router.add_route("POST", "/api/{method}", call)
    app.router.add_post("/upload/v1/{ticket}", receive)
    app.router.add_post("/{kind:commands|actions|app}/{team}/{key}", answer)
    app.router.add_get("/files-pri/{file}/{name}", download)
    app.router.add_get("/link/", sockets.connect)
    app.add_routes(Control(workspace, sockets, delivery).routes())
    app.on_shutdown.append(close)
    return app


@asynccontextmanager
async def serving(folder: Path, *, port: int = 0, request_url: str | None = None) -> AsyncIterator[Workspace]:
    """A stand-in that serves on 127.0.0.1 while the context is entered.

    Args:
        folder: Files go to `slack/files` in it.
        port: 0 takes a free one. One that was kept before is taken again.
        request_url: Where an app takes requests over HTTP.
    """
    files = folder / "slack" / "files"
    kept = kept_at(_kept_path(files))
    if kept is not None:
        # Whoever speaks to it knows it by this address.
        port = int(kept.base_url.rpartition(":")[2])
    listening = socket.create_server(("127.0.0.1", port))
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    workspace = Workspace(files, base_url, request_url=request_url)
    if kept is not None:
        restore(workspace, kept)
    runner = web.AppRunner(make_app(workspace), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield workspace
    finally:
        await runner.cleanup()


def _kept_path(files: Path) -> Path:
    return files.with_name("kept")


def describe(workspace: Workspace) -> dict[str, str]:
    """What an app needs to know of the stand-in; the content of slack.json."""
    return {
        "api_url": f"{workspace.base_url}/api/",
        "control_url": f"{workspace.base_url}/_lab",
        "bot_token": workspace.credentials.bot_token,
        "app_token": workspace.credentials.app_token,
        "signing_secret": workspace.credentials.signing_secret,
        "team_id": workspace.world.team_id,
    }


def write_description(workspace: Workspace, path: Path) -> None:
    """Writes slack.json whole or not at all; its owner alone may read it."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(describe(workspace), file, indent=2)
    new.replace(path)


def _download(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    file = workspace.files.files.get(request.match_info["file"])
    if request.headers.get("Authorization") != f"Bearer {workspace.credentials.bot_token}":
        return web.Response(status=403, text="a bot token is needed")
    if file is None or not file.completed or file.deleted:
        return web.Response(status=404, text="no such file")
    return web.FileResponse(file.path)
