"""exec: checks the request as the API server does, then joins the client's connection to the kubelet's.

The kubelet makes the WebSocket handshake and speaks the channel protocol; the bytes pass through untouched in
both directions (what Kubernetes 1.36 does with its feature ExtendWebSocketsToKubelet).
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from deploy.lab.apiserver.status import ApiError, Object, bad_request, unspecific

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_PASSED_ON = (
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)
_FLAGS = ("stdin", "stdout", "stderr", "tty")
_TRUE = frozenset({"1", "true", "t", "T", "TRUE", "True"})
_BUFFER_BYTES = 1 << 20


def container_of(pod: Object, asked: str) -> str:
    """The container a request for exec or logs is about.

    Raises:
        ApiError: 400 in the recorded words.
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [one["name"] for one in [*spec.get("initContainers", []), *spec["containers"]]]
    if not asked:
        if len(spec["containers"]) == 1:
            return str(spec["containers"][0]["name"])
        raise bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
        )
    if asked not in names:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    return asked


def check_upgrade(headers: Mapping[str, str]) -> None:
    """Whether the request asks for a WebSocket that can be given.

    Raises:
        ApiError: 400 for no upgrade or for SPDY, which is not offered here; 403 for an unknown protocol.
    """
    if "upgrade" not in headers.get("Connection", "").lower():
        raise bad_request("Upgrade request required")
    upgrade = headers.get("Upgrade", "")
    if upgrade.lower() != "websocket":
        raise bad_request(f"unable to upgrade: {upgrade} is not offered, only websocket")
    asked = [word.strip() for word in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if not set(asked) & set(PROTOCOLS):
        # The WebSocket library that Kubernetes uses refuses a handshake with a bare 403.
        raise ApiError(
            403, "Forbidden", f"requested protocol(s) are not supported: {asked}; supports {PROTOCOLS}"
        )


def kubelet_request(
    pod: Object, container: str, query: MultiMapping[str], headers: Mapping[str, str]
) -> bytes:
    """The request that is sent to the kubelet.

    Raises:
        ApiError: 400 when it names no command or no stream.
    """
    commands = query.getall("command", [])
    flags = {flag: query.get(flag, "") in _TRUE for flag in _FLAGS}
    if not commands:
        raise bad_request("you must specify at least 1 command")
    if not any(flags[flag] for flag in ("stdin", "stdout", "stderr")):
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    parameters = [("container", container), *(("command", one) for one in commands)]
    parameters += [(flag, str(value).lower()) for flag, value in flags.items()]
    path = f"/pods/{pod['metadata']['uid']}/exec?{urlencode(parameters)}"
    lines = [f"GET {path} HTTP/1.1", "Host: kubelet", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"{name}: {headers[name]}" for name in _PASSED_ON if name in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def splice(request: web.Request, socket: Path, first: bytes, cut_after: int | None) -> None:
    """Joins the client's connection to the kubelet's until either ends.

    Args:
        request: The client's, still unanswered; its answer is the kubelet's.
        socket: Where the kubelet listens.
        first: What is sent to the kubelet before anything else.
        cut_after: Breaks both connections after that many bytes from the kubelet; a fault for tests.

    Raises:
        ApiError: 500 when the kubelet cannot be reached; the client's connection is untouched then.
    """
    client = request.transport
    if client is None:
        return
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    from_kubelet = _Half(client, cut_after)
    try:
        kubelet, _ = await loop.create_unix_connection(lambda: from_kubelet, str(socket))
    except OSError as error:
        raise unspecific(f"error dialing backend: dial unix {socket.name}: {error.strerror}") from None
    from_client = _Half(kubelet)
    server = request.protocol

    def client_gone(error: Exception | None) -> None:
        if not over.done():
            over.set_result(None)
        server.connection_lost(error)

    from_client.at_end = client_gone
    for transport in (client, kubelet):
        transport.set_write_buffer_limits(high=_BUFFER_BYTES)
    client.set_protocol(from_client)
    kubelet.write(first)
    await over


class _Half(asyncio.Protocol):
    """What arrives on one connection is written to the other, no faster than that one takes it."""

    def __init__(self, sink: asyncio.Transport, cut_after: int | None = None) -> None:
        self._sink = sink
        self._left = cut_after
        self.at_end: Callable[[Exception | None], None] | None = None

    def data_received(self, data: bytes) -> None:
        """Passes bytes on."""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        self._sink.write(data)
        if self._left == 0:
            self._sink.abort()

    def pause_writing(self) -> None:
        """This connection has enough to send: stop reading the one it comes from."""
        self._sink.pause_reading()

    def resume_writing(self) -> None:
        """It has room again."""
        if not self._sink.is_closing():
            self._sink.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """One end is gone: so is the other, after what was written to it."""
        self._sink.close()
        if self.at_end is not None:
            self.at_end(error)
