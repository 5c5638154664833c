"""What a pod's kubelet answers through this server: logs and exec."""

from pathlib import Path

import aiohttp
from aiohttp import web

from deploy.lab.apiserver import answers, podexec
from deploy.lab.apiserver.kubelet_client import Kubelet, KubeletError
from deploy.lab.apiserver.log_options import log_options
from deploy.lab.apiserver.status import ApiError, Object, bad_request, internal, unspecific

_PIECE_BYTES = 1 << 16


class PodStreams:
    """Answers `pods/log` and `pods/exec`."""

    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets

    async def log(self, request: web.Request, pod: Object) -> web.StreamResponse:
        """A container's log, as it is or as it grows."""
        container = podexec.container_of(pod, request.query.get("container", ""))
        query = log_options(pod["metadata"]["name"], request.query)
        node = pod["spec"].get("nodeName", "")
        if not node:
            # As the real one: a pod that is nowhere has an empty log.
            return web.Response(headers=answers.common_headers("text/plain"))
        try:
            async with Kubelet(self._sockets / f"{node}.sock") as kubelet:
                source = await kubelet.log(pod["metadata"]["uid"], query | {"container": container})
                async with source:
                    return await _copied(request, source)
        except KubeletError as error:
            path = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/{container}"
            raise unspecific(f'Get "https://{node}:10250/containerLogs/{path}": {error}') from None

    async def exec(self, request: web.Request, pod: Object, cut_after: int | None) -> web.StreamResponse:
        """Joins the client to a process in a container."""
        container = podexec.container_of(pod, request.query.get("container", ""))
        node = pod["spec"].get("nodeName", "")
        if not node:
            raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
        podexec.check_upgrade(request.headers)
        first = podexec.kubelet_request(pod, container, request.query, request.headers)
        await podexec.splice(request, self._sockets / f"{node}.sock", first, cut_after)
        return web.Response(status=101)  # It has been sent by the kubelet.


async def _copied(request: web.Request, source: aiohttp.ClientResponse) -> web.StreamResponse:
    if source.status != 200:  # noqa: PLR2004 - HTTP
        raise _kubelet_refusal(source.status, (await source.text()).strip())
    response = web.StreamResponse(headers=answers.common_headers("text/plain"))
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for piece in source.content.iter_any():
        for start in range(0, len(piece), _PIECE_BYTES):
            await response.write(piece[start : start + _PIECE_BYTES])
    await response.write_eof()
    return response


def _kubelet_refusal(code: int, text: str) -> ApiError:
    """How the API server passes on what a kubelet answers instead of a log."""
    if code == 400:  # noqa: PLR2004 - HTTP
        return bad_request(text)
    if code == 500:  # noqa: PLR2004 - HTTP
        return internal(text)
    return ApiError(code, "NotFound", f"the server could not find the requested resource: {text}", {})
