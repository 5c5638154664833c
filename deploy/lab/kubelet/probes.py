"""Readiness and liveness probes: asked from the node's own network, so that pods see them come from cni0."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

_OK = range(200, 400)


class Probe:
    """One probe of one container.

    Args:
        spec: The probe as the pod has it.
        container: The container as the pod has it, for its ports' names.
        address: The pod's.
    """

    def __init__(self, spec: Mapping[str, Any], container: Mapping[str, Any], address: str) -> None:
        self._spec = spec
        self._container = container
        self._address = address

    async def watch(self, tell: Callable[[bool], None], *, eager: bool) -> None:
        """Probes until cancelled, and tells whenever a threshold is crossed.

        Args:
            tell: Told whether the container passes.
            eager: Whether to ask more often than once a period until the first success: so for readiness,
                where the kubelet, too, does not wait a period for a container that has just started.
        """
        await asyncio.sleep(float(self._spec.get("initialDelaySeconds") or 0) + _FIRST_SECONDS)
        period = float(self._spec.get("periodSeconds") or 10)
        needed = {
            True: int(self._spec.get("successThreshold") or 1),
            False: int(self._spec.get("failureThreshold") or 3),
        }
        told, last, count = False, None, 0
        while True:
            good = await self.once()
            last, count = good, (count + 1 if good == last else 1)
            if count >= needed[good]:
                told = told or good
                tell(good)
            await asyncio.sleep(min(period, _FIRST_SECONDS * count) if eager and not told else period)

    async def once(self) -> bool:
        """Whether the container answers now."""
        seconds = float(self._spec.get("timeoutSeconds") or 1)
        try:
            async with asyncio.timeout(seconds):
                return await (self._connects() if "tcpSocket" in self._spec else self._answers())
        except (OSError, TimeoutError):
            return False

    async def _connects(self) -> bool:
        where = self._spec["tcpSocket"]
        _, writer = await asyncio.open_connection(
            where.get("host") or self._address, self._port(where["port"])
        )
        await _close(writer)
        return True

    async def _answers(self) -> bool:
        where = self._spec["httpGet"]
        host, port = where.get("host") or self._address, self._port(where["port"])
        reader, writer = await asyncio.open_connection(host, port)
        request = f"GET {where.get('path') or '/'} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        headers = "User-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        try:
            writer.write((request + headers).encode())
            words = (await reader.readline()).split()
        finally:
            await _close(writer)
        return len(words) > 1 and words[1].isdigit() and int(words[1]) in _OK

    def _port(self, port: int | str) -> int:
        for named in self._container.get("ports") or ():
            if named.get("name") == port:
                return int(named["containerPort"])
        return int(port)


_FIRST_SECONDS = 0.1


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
