"""Exec: one more process in a running container, over a websocket in Kubernetes' channel protocol.

Channels: 0 standard input, 1 output, 2 error, 3 the final Status, 4 the terminal's size; v5's 255 closes one.

When the client goes away the process stays, as it does in a real cluster: its input ends, and nobody reads
its output any more, so that it waits once the pipe is full. It ends by itself or with its pod.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from aiohttp import WSMsgType, web

from deploy.lab.kubelet import pipes
from deploy.lab.kubelet.exec_status import V4, V5, exited, not_started
from deploy.lab.kubelet.exec_streams import Streams
from deploy.lab.kubelet.program_lookup import complaint
from deploy.lab.kubelet.run import Run
from deploy.lab.kubelet.runtime import Runtime

_INPUT, _OUTPUT, _ERRORS, _STATUS, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255


@dataclass(frozen=True)
class ExecRequest:
    """What the API asks for; the names are the API's."""

    command: tuple[str, ...]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    @classmethod
    def from_query(cls, query: Mapping[str, str], command: list[str]) -> Self:
        """Reads a request's query.

        Raises:
            ValueError: It asks for no command.
        """
        if not command:
            raise ValueError("you must specify at least 1 command for the container")
        wanted = {name: query.get(name) in {"1", "true"} for name in ("stdin", "stdout", "stderr", "tty")}
        return cls(tuple(command), **wanted)

    @property
    def lowest_channel(self) -> int:
        """The first channel written to: an empty frame on it says that the connection stands."""
        return _OUTPUT if self.stdout else _ERRORS if self.stderr else _STATUS


class Execs:
    """Runs processes in containers, and watches over those whose clients have gone."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._abandoned: set[asyncio.Task[None]] = set()

    async def serve(self, http: web.Request, request: ExecRequest, run: Run) -> web.WebSocketResponse:
        """Starts a process and carries its streams until it has ended or the client has gone."""
        socket = web.WebSocketResponse(protocols=(V5, V4), compress=False, max_msg_size=0)
        await socket.prepare(http)
        await socket.send_bytes(bytes([request.lowest_channel]))
        exec_id = secrets.token_hex(32)
        problem = _problem(request, run)
        if problem is not None:
            await _finish(socket, not_started(socket.ws_protocol or V4, exec_id, problem))
            return socket
        streams = Streams(request.stdin, request.stdout, request.stderr, request.tty)
        end = self._start(request, run, exec_id, streams)
        carrying = asyncio.ensure_future(self._carry(socket, request, streams, end))
        with contextlib.suppress(ConnectionError):
            await _obey(socket, streams)
        streams.close_input()
        if end.done():
            await carrying
            streams.close()
        else:
            task = asyncio.ensure_future(_abandon(carrying, streams, end))
            self._abandoned.add(task)
            task.add_done_callback(self._abandoned.discard)
        return socket

    def _start(self, request: ExecRequest, run: Run, exec_id: str, streams: Streams) -> asyncio.Future[int]:
        process = {**run.process_config, "args": list(request.command), "terminal": request.tty}
        with streams.theirs() as descriptors:
            return self._runtime.exec(run.id, exec_id, process, descriptors)

    async def _carry(
        self,
        socket: web.WebSocketResponse,
        request: ExecRequest,
        streams: Streams,
        end: asyncio.Future[int],
    ) -> None:
        """Sends what the process writes until it writes no more, then how it ended."""
        channels = {_OUTPUT: streams.output, _ERRORS: streams.errors}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(
                *(_pump(socket, channel, file) for channel, file in channels.items() if file)
            )
            await _finish(
                socket, exited(socket.ws_protocol or V4, request.command, await asyncio.shield(end))
            )


def _problem(request: ExecRequest, run: Run) -> str | None:
    """Why the command cannot be started; asked first, since crun would say it on the process's own stderr."""
    environment = dict(entry.partition("=")[::2] for entry in run.process_config["env"])
    path, directory = environment.get("PATH", ""), run.process_config["cwd"]
    return complaint(Path(f"/proc/{run.process}/root"), request.command, path, directory)


async def _finish(socket: web.WebSocketResponse, status: bytes) -> None:
    await socket.send_bytes(bytes([_STATUS]) + status)
    await socket.close(code=1000)


async def _pump(socket: web.WebSocketResponse, channel: int, file: FileIO) -> None:
    prefix = bytes([channel])
    while data := await pipes.read(file):
        await socket.send_bytes(prefix + data)


async def _abandon(carrying: asyncio.Future[None], streams: Streams, end: asyncio.Future[int]) -> None:
    """Stops reading, but keeps the pipes until the process has ended: without them it would be killed."""
    carrying.cancel()
    await asyncio.gather(carrying, return_exceptions=True)
    await end
    streams.close()


async def _obey(socket: web.WebSocketResponse, streams: Streams) -> None:
    """Does what the client's frames say, until the connection ends."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _INPUT:
            await streams.write(data)
        elif channel == _RESIZE:
            streams.resize(data)
        elif channel == _CLOSE and data[:1] == bytes([_INPUT]) and socket.ws_protocol == V5:
            streams.close_input()
