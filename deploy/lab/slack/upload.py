"""The second step of an upload: the bytes, to the URL that files.getUploadURLExternal gave."""

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web

from deploy.lab.slack.errors import SlackError
from deploy.lab.slack.faults import Kind
from deploy.lab.slack.files import File
from deploy.lab.slack.webapi.dispatch import break_off, cut
from deploy.lab.slack.workspace import Workspace

NAME = "upload"
"""What faults and the log of calls name it."""

_PIECE = 1 << 16
_FIELDS = {"file", "filename"}


async def receive(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    """Answers a POST of raw bytes or of a multipart form; `OK - LENGTH`, or 400 when the length is another.

    The same bytes may come again until the upload is completed: a client cannot know whether an answer that
    it did not get meant yes.
    """
    file = workspace.files.by_ticket(request.match_info["ticket"])
    fault = workspace.faults.take(NAME, file.name if file is not None else "")
    if fault is not None and fault.kind is Kind.RATELIMITED:
        return web.Response(status=429, headers={"Retry-After": str(max(1, round(fault.seconds)))})
    if fault is not None and fault.kind is not Kind.LOST:
        try:
            return await break_off(request, workspace, NAME, fault)
        except SlackError as error:
            return web.Response(status=400, text=error.code)
    if file is None or file.completed or file.deleted:
        workspace.calls.note(NAME, {}, status=404, error="unknown_ticket")
        return web.Response(status=404, text="unknown or used upload URL")
    response = await _keep(workspace, request, file)
    return response if fault is None else cut(request)


async def _keep(workspace: Workspace, request: web.Request, file: File) -> web.Response:
    file.received = False
    file.path.parent.mkdir(parents=True, exist_ok=True)
    length = 0
    with file.path.open("wb") as kept:
        async for piece in _pieces(request):
            length += len(piece)
            if length > file.length:
                break
            kept.write(piece)
    file.received = length == file.length
    error = None if file.received else "wrong_length"
    workspace.calls.note(NAME, {"file": file.id}, status=400 if error else 200, error=error)
    if not error:
        return web.Response(text=f"OK - {length}")
    file.path.unlink()
    workspace.calls.object(f"upload: {file.length} bytes were announced, another number came")
    return web.Response(status=400, text="the length is not the one announced")


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    if not request.content_type.startswith("multipart/"):
        async for piece in request.content.iter_chunked(_PIECE):
            yield piece
        return
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name in _FIELDS:
            while piece := await part.read_chunk(_PIECE):
                yield bytes(piece)
            return
