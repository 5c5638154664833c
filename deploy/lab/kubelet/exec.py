"""Exec: one more process in a running container, over a websocket in Kubernetes' channel protocol.

Channels: 0 standard input, 1 output, 2 error, 3 the final Status, 4 the terminal's size; v5's 255 closes one.

When the client goes away the process stays, as it does in a real cluster: its input ends, and nobody reads
its output any more, so that it waits once the pipe is full. It ends by itself or with its pod.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Self

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
        carrying = asyncio.ensure_future(_carry(socket, streams, end))
        terminal = partial(self._runtime.terminal, run.id, exec_id)
        obeying = asyncio.ensure_future(_obey(socket, streams, terminal))
        try:
            done, _ = await asyncio.wait((carrying, obeying), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if carrying in done:
                status = exited(socket.ws_protocol or V4, request.command, carrying.result())
                await _finish(socket, status)
        except* ConnectionError:
            pass  # The client has gone.
        finally:
            await _stopped(carrying, obeying)
            self._let_go(streams, end)
        return socket

    def _let_go(self, streams: Streams, end: asyncio.Future[int]) -> None:
        """Closes the streams, once the process has ended: without its pipes it would be killed."""
        streams.close_input()
        if end.done():
            streams.close()
            return
        task = asyncio.ensure_future(_closed_after(end, streams))
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)

    def _start(self, request: ExecRequest, run: Run, exec_id: str, streams: Streams) -> asyncio.Future[int]:
        process = {**run.process_config, "args": list(request.command), "terminal": request.tty}
        with streams.theirs() as descriptors:
            return self._runtime.exec(run.id, exec_id, process, descriptors)


def _problem(request: ExecRequest, run: Run) -> str | None:
    """Why the command cannot be started; asked first, since crun would say it on the process's own stderr."""
    environment = dict(entry.partition("=")[::2] for entry in run.process_config["env"])
    path, directory = environment.get("PATH", ""), run.process_config["cwd"]
    return complaint(Path(f"/proc/{run.process}/root"), request.command, path, directory)


async def _finish(socket: web.WebSocketResponse, status: bytes) -> None:
    await socket.send_bytes(bytes([_STATUS]) + status)
    await socket.close(code=1000)


async def _carry(socket: web.WebSocketResponse, streams: Streams, end: asyncio.Future[int]) -> int:
    """Sends what the process writes until it writes no more; its exit code."""
    channels = {_OUTPUT: streams.output, _ERRORS: streams.errors}
    # A group, so that when one pump fails the other does not go on waiting for a pipe that is then closed:
    # the event loop would stay deaf to the next file that gets the number of that pipe.
    async with asyncio.TaskGroup() as pumps:
        for channel, file in channels.items():
            if file is not None:
                pumps.create_task(_pump(socket, channel, file))
    return await asyncio.shield(end)


async def _pump(socket: web.WebSocketResponse, channel: int, file: FileIO) -> None:
    prefix = bytes([channel])
    while data := await pipes.read(file):
        await socket.send_bytes(prefix + data)


async def _stopped(*tasks: asyncio.Future[Any]) -> None:
    """Cancels them and waits until they have ended: only then may the files that they wait for be closed."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _closed_after(end: asyncio.Future[int], streams: Streams) -> None:
    try:
        await end
    finally:
        streams.close()


async def _obey(socket: web.WebSocketResponse, streams: Streams, terminal: Callable[[], Path | None]) -> None:
    """Does what the client's frames say, until the connection ends; `terminal` is the process's own."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _INPUT:
            await streams.write(data)
        elif channel == _RESIZE:
            streams.resize(data, terminal())
        elif channel == _CLOSE and data[:1] == bytes([_INPUT]) and socket.ws_protocol == V5:
            streams.close_input()
