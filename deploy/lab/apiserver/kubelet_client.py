"""Talking to one node's kubelet over its unix socket."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from deploy.lab.apiserver.status import Object

_ANSWER_SECONDS = 10
_LARGEST_LINE = 1 << 20


class KubeletError(Exception):
    """The kubelet cannot be reached, or said no."""


class Kubelet:
    """A client of one kubelet; an asynchronous context manager.

    Args:
        socket: The node's socket.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            "http://kubelet",
            connector=aiohttp.UnixConnector(str(self.socket)),
            read_bufsize=_LARGEST_LINE,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def healthy(self) -> bool:
        """Whether it answers that it is well."""
        try:
            await self._call("GET", "/healthz")
        except KubeletError:
            return False
        return True

    async def run(self, pod: Object) -> None:
        """Has it run a pod. Does nothing when it runs it already."""
        await self._call("PUT", f"/pods/{pod['metadata']['uid']}", json.dumps(pod).encode())

    async def stop(self, uid: str, grace_seconds: int) -> bool:
        """Has it stop a pod. False when it does not know the pod."""
        path = f"/pods/{uid}?gracePeriodSeconds={grace_seconds}"
        return await self._call("DELETE", path, unknown_is_fine=True)

    async def program(self, script: str) -> None:
        """Gives the node's network its nft script."""
        await self._call("PUT", "/proxy", script.encode())

    async def statuses(self) -> AsyncIterator[Object]:
        """The statuses of its pods: first those of now, then each change. Ends when the kubelet ends."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_ANSWER_SECONDS)
        try:
            async with self._open().get("/status", timeout=timeout) as response:
                async for line in response.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise KubeletError(str(error)) from error

    async def log(self, uid: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Opens a container's log. The caller closes the answer."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_ANSWER_SECONDS)
        try:
            return await self._open().get(f"/pods/{uid}/log", params=query, timeout=timeout)
        except (aiohttp.ClientError, OSError) as error:
            raise KubeletError(str(error)) from error

    async def _call(
        self, method: str, path: str, body: bytes | None = None, *, unknown_is_fine: bool = False
    ) -> bool:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with self._open().request(method, path, data=body, timeout=timeout) as response:
                text = await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise KubeletError(str(error)) from error
        if response.status == 404 and unknown_is_fine:  # noqa: PLR2004 - HTTP
            return False
        if response.status >= 300:  # noqa: PLR2004 - HTTP
            raise KubeletError(f"{method} {path}: {response.status} {text}")
        return True

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise KubeletError("not connected")
        return self._session
