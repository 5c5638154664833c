"""The verbs on stored objects, from a request to its answer."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from aiohttp import web

from deploy.lab.apiserver import admission_policy, answers, event_forms, rbac, reviews, scale
from deploy.lab.apiserver.apply import applied
from deploy.lab.apiserver.attributes import Asker, Attributes
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.decode import decode, parse_json, parse_yaml, read_body
from deploy.lab.apiserver.listing import page
from deploy.lab.apiserver.patch import json_patch, merge_patch
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.requestinfo import RequestInfo
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import NEWER_EVENTS, named
from deploy.lab.apiserver.selectors import Matcher, by_query
from deploy.lab.apiserver.status import ApiError, Object, bad_request, unsupported_media_type
from deploy.lab.apiserver.strategic import strategic_merge
from deploy.lab.apiserver.table import as_table
from deploy.lab.apiserver.users import User
from deploy.lab.apiserver.watch import Bookmark, Watch, encoded

_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_SHORTEST_WATCH_SECONDS = 1800
_TRUE = frozenset({"1", "true"})


class Endpoints:
    """Answers requests about stored objects and reviews."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._registry = cluster.registry

    async def get(self, request: web.Request, info: RequestInfo, resource: Resource) -> web.StreamResponse:
        """GET of one object, or of its scale."""
        found = self._registry.get(resource, _namespace(info, resource), info.name)
        if info.subresource == "scale":
            return answers.one(request, scale.SCALE, scale.of(found))
        return answers.one(request, resource, found)

    async def collection(
        self, request: web.Request, info: RequestInfo, resource: Resource
    ) -> web.StreamResponse:
        """GET of many."""
        matches = _matcher(request, resource)
        objects = [one for one in self._store.objects(resource, info.namespace) if matches(one)]
        found = page(
            objects,
            self._store.version,
            _number(request, "limit") or 0,
            request.query.get("continue", ""),
            selected=bool(request.query.get("labelSelector") or request.query.get("fieldSelector")),
            namespaced=bool(info.namespace),
        )
        return answers.many(request, resource, found.items, found.metadata)

    async def watch(self, request: web.Request, info: RequestInfo, resource: Resource) -> web.StreamResponse:
        """GET of many, as they change."""
        matches = _matcher(request, resource)

        def watched(item: Object) -> bool:
            inside = not info.namespace or item["metadata"].get("namespace") == info.namespace
            return inside and matches(item)

        watch = Watch(self._store, resource.plural, watched, answers.shape(request, resource))
        current = [one for one in self._store.objects(resource, info.namespace) if matches(one)]
        initial = request.query.get("sendInitialEvents", "") in _TRUE
        bookmark = self._bookmarks(request, resource)
        try:
            first = watch.backlog("" if initial else request.query.get("resourceVersion", ""), current)
        except ApiError as error:
            # The real one answers 200 and tells the watch.
            line = json.dumps({"type": "ERROR", "object": error.body}, separators=(",", ":"))
            return web.Response(body=f"{line}\n", headers=answers.common_headers())
        if initial and bookmark is not None:
            first.append(encoded("BOOKMARK", bookmark({"k8s.io/initial-events-end": "true"})))
        seconds = _number(request, "timeoutSeconds")
        if seconds is None:
            seconds = _SHORTEST_WATCH_SECONDS + random.randrange(_SHORTEST_WATCH_SECONDS)  # noqa: S311 - spread
        return await self._stream(request, watch.lines(first, bookmark), watch, seconds)

    def _bookmarks(self, request: web.Request, resource: Resource) -> Bookmark | None:
        """What makes bookmarks; None when the client does not allow any."""
        if request.query.get("allowWatchBookmarks", "") not in _TRUE:
            return None

        def bookmark(annotations: dict[str, str]) -> Object:
            metadata: Object = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
            if annotations:
                metadata["annotations"] = annotations
            if answers.accepted(request) == "Table":
                return as_table(resource, [], metadata)
            return {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": metadata}

        return bookmark

    @staticmethod
    async def _stream(
        request: web.Request, lines: AsyncGenerator[bytes], watch: Watch, seconds: int
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=answers.common_headers())
        response.enable_chunked_encoding()
        close = watch.open()
        try:
            await response.prepare(request)
            async with asyncio.timeout(seconds), contextlib.aclosing(lines):
                async for line in lines:
                    await response.write(line)
        except TimeoutError:
            await response.write_eof()
        finally:
            close()
        return response

    async def create(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        """POST."""
        raw = read_body(await request.read(), request.headers.get("Content-Type", ""))
        decoded = decode(resource, raw, request.query.get("fieldValidation", ""))
        if not resource.stored:
            reviewed = reviews.answer(self._store, resource, decoded.value, user, info.namespace)
            return answers.as_json(reviewed, 201)
        asker = _asker(request, user, decoded.warnings)
        made = self._registry.create(resource, _namespace(info, resource), decoded.value, asker)
        return answers.warned(answers.one(request, resource, made, 201), asker.warnings)

    async def update(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        """PUT."""
        raw = read_body(await request.read(), request.headers.get("Content-Type", ""))
        if info.subresource == "scale":
            resource = scale.SCALE
        return self._write(request, info, resource, user, raw)

    async def patch(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        """PATCH: JSON patch, merge patch, strategic merge patch or server-side apply."""
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind not in _PATCHES:
            raise unsupported_media_type(_PATCHES)
        if kind == _PATCHES[3]:
            return await self._apply(request, info, resource, user)
        patch = parse_json(await request.read())
        current = self._registry.get(resource, _namespace(info, resource), info.name)
        if info.subresource == "scale":
            current, resource = scale.of(current), scale.SCALE
        if resource is NEWER_EVENTS:
            current = event_forms.newer(current)
        return self._write(request, info, resource, user, _patched(kind, resource, current, patch))

    async def _apply(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        manager = request.query.get("fieldManager", "")
        if not manager:
            message = "fieldManager: Required value: is required for apply patch"
            raise ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {message}', {})
        decoded = decode(resource, parse_yaml(await request.read()), request.query.get("fieldValidation", ""))
        config, where = decoded.value, _namespace(info, resource)
        if config["metadata"].setdefault("name", info.name) != info.name:
            raise bad_request("name in URL does not match name in metadata")
        if "managedFields" in config["metadata"]:
            raise bad_request("metadata.managedFields must be nil")
        live = self._store.get(resource, where, info.name)
        if live is None:
            self._check_may_create(user, info)
        found = applied(resource, manager, config, live, force=request.query.get("force") in _TRUE)
        asker = _asker(request, user, decoded.warnings)
        asker.entries = found.entries
        if live is None:
            made = self._registry.create(resource, where, found.value, asker)
            return answers.warned(answers.one(request, resource, made, 201), asker.warnings)
        made = self._registry.update(
            resource, where, info.name, found.value, asker, subresource=info.subresource
        )
        return answers.warned(answers.one(request, resource, made), asker.warnings)

    def _check_may_create(self, user: User, info: RequestInfo) -> None:
        """A patch that makes an object needs the right to create it as well."""
        asked = replace(info, verb="create")
        decision = rbac.decide(self._store, user, asked)
        if not decision.allowed:
            raise rbac.refusal(user, asked, decision)

    def _write(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User, raw: Any
    ) -> web.StreamResponse:
        decoded = decode(resource, raw, request.query.get("fieldValidation", ""))
        asker = _asker(request, user, decoded.warnings)
        if info.subresource == "scale":
            return self._rescale(request, info, asker, decoded.value)
        written = self._registry.update(
            resource,
            _namespace(info, resource),
            info.name,
            decoded.value,
            asker,
            subresource=info.subresource,
        )
        return answers.warned(answers.one(request, resource, written), asker.warnings)

    def _rescale(
        self, request: web.Request, info: RequestInfo, asker: Asker, wanted: Object
    ) -> web.StreamResponse:
        resource = named(info.resource, info.group)
        current = self._registry.get(resource, info.namespace, info.name)
        scaled = self._registry.update(
            resource, info.namespace, info.name, scale.applied(current, wanted), asker
        )
        return answers.one(request, scale.SCALE, scale.of(scaled))

    def check_connect(self, request: web.Request, info: RequestInfo, user: User) -> None:
        """Asks the admission policies about an exec; its object is the PodExecOptions.

        Raises:
            ApiError: A policy denies it.
        """
        query = request.query
        options: Object = {"kind": "PodExecOptions", "apiVersion": "v1"}
        options |= {key: True for key in ("stdin", "stdout", "stderr", "tty") if query.get(key) in _TRUE}
        if "container" in query:
            options["container"] = query["container"]
        options["command"] = query.getall("command", [])
        where = info.namespace, info.name, options, None
        admission_policy.check(
            self._store, Attributes("CONNECT", named(info.resource), info.subresource, *where, Asker(user))
        )

    async def delete(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        """DELETE of one object."""
        how = await _deletion(request)
        asker = Asker(user, dry_run=how.dry_run)
        gone = self._registry.delete(resource, _namespace(info, resource), info.name, how, asker)
        return answers.warned(answers.as_json(gone), asker.warnings)

    async def deletecollection(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User
    ) -> web.StreamResponse:
        """DELETE of many."""
        how = await _deletion(request)
        matches = _matcher(request, resource)
        items = [one for one in self._store.objects(resource, info.namespace) if matches(one)]
        for item in items:
            metadata = item["metadata"]
            asker = Asker(user, dry_run=how.dry_run)
            self._registry.delete(resource, metadata.get("namespace", ""), metadata["name"], how, asker)
        version = {"resourceVersion": str(self._store.version)}
        return answers.many(request, resource, items, version)


def _asker(request: web.Request, user: User, warnings: list[str]) -> Asker:
    agent = request.headers.get("User-Agent", "").partition("/")[0]
    manager = request.query.get("fieldManager") or agent or "unknown"
    return Asker(user, _dry_run(request), manager, warnings=warnings)


def _namespace(info: RequestInfo, resource: Resource) -> str:
    return info.namespace if resource.namespaced else ""


def _matcher(request: web.Request, resource: Resource) -> Matcher:
    query = request.query
    return by_query(query.get("labelSelector", ""), query.get("fieldSelector", ""), resource.plural)


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _dry_run(request: web.Request) -> bool:
    value = request.query.getall("dryRun", [])
    if value not in ([], ["All"], [""]):
        message = f'dryRun: Unsupported value: "{value[0]}": supported values: "All"'
        raise ApiError(422, "Invalid", f'CreateOptions.meta.k8s.io "" is invalid: {message}', {})
    return value == ["All"]


def _patched(kind: str, resource: Resource, current: Object, patch: Any) -> Any:
    if kind == _PATCHES[0]:
        return json_patch(current, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal array into Go value of type map")
    if kind == _PATCHES[1]:
        return merge_patch(current, patch)
    return strategic_merge(resource.model, current, patch)


async def _deletion(request: web.Request) -> Deletion:
    body = await request.read()
    options: Object = parse_json(body) if body.strip() else {}
    if not isinstance(options, dict):
        raise bad_request("couldn't get version/kind; json parse error: not an object")
    query = request.query
    grace = _number(request, "gracePeriodSeconds")
    preconditions = options.get("preconditions") or {}
    if query.get("orphanDependents") == "true" or options.get("orphanDependents"):
        options["propagationPolicy"] = "Orphan"
    policy = query.get("propagationPolicy") or options.get("propagationPolicy") or "Background"
    if policy not in {"Background", "Foreground", "Orphan"}:
        words = '"Foreground", "Background", "Orphan", "nil"'
        message = f'propagationPolicy: Unsupported value: "{policy}": supported values: {words}'
        raise ApiError(422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: {message}', {})
    return Deletion(
        grace_seconds=options.get("gracePeriodSeconds") if grace is None else grace,
        policy=policy,
        uid=preconditions.get("uid", ""),
        version=preconditions.get("resourceVersion", ""),
        dry_run=_dry_run(request) or options.get("dryRun") == ["All"],
    )
