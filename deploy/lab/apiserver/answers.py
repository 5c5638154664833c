"""Answers: JSON in the form the client accepts, and Warning headers."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from deploy.lab.apiserver.event_forms import newer
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import NEWER_EVENTS
from deploy.lab.apiserver.status import ApiError, Object, not_acceptable
from deploy.lab.apiserver.table import as_table

_SERVED = ("application/json",)
_PARTIAL = "PartialObjectMetadata"
Shape = Callable[[Object], Object]


def as_json(value: Any, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer with a JSON body."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return web.Response(body=body, status=code, headers=common_headers() | (headers or {}))


def common_headers(content_type: str = "application/json") -> dict[str, str]:
    """What every answer carries."""
    return {"Audit-Id": str(uuid.uuid4()), "Cache-Control": "no-cache, private", "Content-Type": content_type}


def refusal(error: ApiError) -> web.Response:
    """An answer that says no."""
    return as_json(error.body, error.code, error.headers)


def warned(response: web.Response, warnings: list[str]) -> web.Response:
    """The answer with Warning headers (RFC 7234, code 299)."""
    for text in warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def accepted(request: web.Request) -> str:
    """How the client wants objects: `` as they are, `Table` or `PartialObjectMetadata`.

    Raises:
        ApiError: 406 when it takes nothing that is served.
    """
    wanted = ",".join(request.headers.getall("Accept", [])) or "*/*"
    for choice in wanted.split(","):
        media, *rest = [part.strip() for part in choice.split(";")]
        if media not in {*_SERVED, "application/*", "*/*"}:
            continue
        parameters = dict(part.partition("=")[::2] for part in rest)
        form = parameters.get("as", "")
        known = parameters.get("g", "meta.k8s.io") == "meta.k8s.io" and parameters.get("v", "v1") == "v1"
        if not form or form.endswith("DiscoveryList"):
            return ""
        if known and form == "Table":
            return form
        if known and form.startswith(_PARTIAL):
            return _PARTIAL
    raise not_acceptable(_SERVED)


def one(request: web.Request, resource: Resource, value: Object, code: int = 200) -> web.Response:
    """An object, in the form the client accepts."""
    return as_json(shape(request, resource)(value), code)


def shape(request: web.Request, resource: Resource) -> Shape:
    """What turns an object into the form the client accepts.

    Raises:
        ApiError: 406.
    """
    form = accepted(request)
    include = request.query.get("includeObject", "Metadata")
    if form == "Table":
        return lambda value: as_table(resource, [value], _list_metadata(value), include)
    if form == _PARTIAL:
        return _partial
    return newer if resource is NEWER_EVENTS else lambda value: value


def _list_metadata(value: Object) -> Object:
    return {"resourceVersion": value["metadata"].get("resourceVersion", "")}


def _partial(value: Object) -> Object:
    return {"kind": _PARTIAL, "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]}


def many(request: web.Request, resource: Resource, items: list[Object], metadata: Object) -> web.Response:
    """A list, in the form the client accepts; items of a plain list carry neither kind nor version."""
    form = accepted(request)
    if form == "Table":
        include = request.query.get("includeObject", "Metadata")
        return as_json(as_table(resource, items, metadata, include))
    if form == _PARTIAL:
        partial = {"kind": f"{_PARTIAL}List", "apiVersion": "meta.k8s.io/v1"}
        return as_json(partial | {"metadata": metadata, "items": [_partial(item) for item in items]})
    if resource is NEWER_EVENTS:
        items = [newer(item) for item in items]
    bare = [{k: v for k, v in item.items() if k not in {"kind", "apiVersion"}} for item in items]
    kinds = {"kind": f"{resource.kind}List", "apiVersion": resource.group_version}
    return as_json(kinds | {"metadata": metadata, "items": bare})
