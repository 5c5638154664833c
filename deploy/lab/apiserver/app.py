"""The server: who asks, for what, may they; then the answer. Every request passes `Server.answer`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from deploy.lab.apiserver import answers, discovery, impersonation, openapi_v2, rbac, tokenrequest
from deploy.lab.apiserver.authn import Authenticator
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.decode import parse_json, read_body
from deploy.lab.apiserver.endpoints import Endpoints
from deploy.lab.apiserver.faults import Fault, Faults
from deploy.lab.apiserver.podstreams import PodStreams
from deploy.lab.apiserver.requestinfo import RequestInfo, parse
from deploy.lab.apiserver.requestlog import RequestLog
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import PODS, SERVICEACCOUNTS, find
from deploy.lab.apiserver.status import ApiError, method_not_allowed, no_such_resource
from deploy.lab.apiserver.tokens import Tokens
from deploy.lab.apiserver.users import MASTERS, User

_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_LARGEST_BODY = 3 << 20
_FAULTS_PATH = "/_lab/faults"
_CLIENT_GONE, _SWITCHED = 499, 101
Reader = Callable[[web.Request, RequestInfo, Resource], Awaitable[web.StreamResponse]]
Writer = Callable[[web.Request, RequestInfo, Resource, User], Awaitable[web.StreamResponse]]


class Server:
    """Answers the requests of one API server."""

    def __init__(self, cluster: Cluster, tokens: Tokens, sockets: Path, log: RequestLog) -> None:
        self._cluster = cluster
        self._tokens = tokens
        self._log = log
        self._faults = Faults()
        self._authenticator = Authenticator(cluster.store, tokens)
        self._streams = PodStreams(sockets)
        self._endpoints = Endpoints(cluster)

    def application(self) -> web.Application:
        """The application with its one route."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        if request.path in _HEALTH:
            return web.Response(text="ok", headers={"Cache-Control": "no-cache, private"})
        info = parse(request.method, request.path, request.query)
        try:
            user = self._authenticator.user(request)
        except ApiError as error:
            self._log.write("", info, error.code)
            return answers.refusal(error)
        # A handler is cancelled when its client goes; an exec always ends so.
        code = _SWITCHED if info.subresource == "exec" else _CLIENT_GONE
        try:
            response = await self._authenticated(request, info, user)
            code = response.status
        except ApiError as error:
            response, code = answers.refusal(error), error.code
        except web.HTTPRequestEntityTooLarge:
            message = f"Request entity too large: limit is {_LARGEST_BODY}"
            response, code = answers.refusal(ApiError(413, "RequestEntityTooLarge", message)), 413
        finally:
            self._log.write(user.name, info, code)
        return response

    async def _authenticated(self, request: web.Request, info: RequestInfo, user: User) -> web.StreamResponse:
        if info.path == _FAULTS_PATH and MASTERS in user.groups:
            return await self._set_faults(request)
        user = impersonation.effective(request, user, self._cluster.store)
        self._authorize(user, info)
        if info.resource == "pods" and info.subresource == "exec" and info.verb == "get":
            # A WebSocket's handshake is a GET; it needs the right to create as well (since 1.35).
            self._authorize(user, replace(info, verb="create"))
        fault = await self._meet_fault(request, info, user)
        if not info.is_resource:
            return self._outside(request)
        resource = find(info.group, info.version, info.resource)
        if resource is None:
            return _no_such_path(info)
        response = await self._dispatch(request, info, resource, user, fault.cut_after)
        if fault.lost and request.transport is not None:
            request.transport.abort()
        return response

    def _authorize(self, user: User, info: RequestInfo) -> None:
        decision = rbac.decide(self._cluster.store, user, info)
        if not decision.allowed:
            raise rbac.refusal(user, info, decision)

    async def _meet_fault(self, request: web.Request, info: RequestInfo, user: User) -> Fault:
        fault = self._faults.take(user.name, info) or Fault()
        if fault.delay_seconds:
            await self._faults.delay(fault)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if refusal := fault.refusal():
            raise refusal
        return fault

    async def _set_faults(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self._faults.add(parse_json(await request.read()))
        elif request.method == "DELETE":
            self._faults.clear()
        return answers.as_json(self._faults.listed())

    async def _dispatch(
        self, request: web.Request, info: RequestInfo, resource: Resource, user: User, cut_after: int | None
    ) -> web.StreamResponse:
        verbs = resource.subresources.get(info.subresource) if info.subresource else resource.verbs
        if verbs is None:
            raise no_such_resource()
        if info.verb not in verbs or (
            resource.namespaced and not info.namespace and info.verb in _IN_NAMESPACE
        ):
            raise method_not_allowed()
        if info.subresource in {"exec", "log"}:
            pod = self._cluster.registry.get(PODS, info.namespace, info.name)
            if info.subresource == "log":
                return await self._streams.log(request, pod)
            self._endpoints.check_connect(request, info, user)
            return await self._streams.exec(request, pod, cut_after)
        if info.subresource == "token":
            return await self._token(request, info)
        readers: dict[str, Reader] = {
            "get": self._endpoints.get,
            "list": self._endpoints.collection,
            "watch": self._endpoints.watch,
        }
        if info.verb in readers:
            return await readers[info.verb](request, info, resource)
        writers: dict[str, Writer] = {
            "create": self._endpoints.create,
            "update": self._endpoints.update,
            "patch": self._endpoints.patch,
            "delete": self._endpoints.delete,
            "deletecollection": self._endpoints.deletecollection,
        }
        return await writers[info.verb](request, info, resource, user)

    async def _token(self, request: web.Request, info: RequestInfo) -> web.StreamResponse:
        account = self._cluster.registry.get(SERVICEACCOUNTS, info.namespace, info.name)
        body = read_body(await request.read() or b"{}", request.headers.get("Content-Type", ""))
        return answers.as_json(tokenrequest.answer(self._tokens, account, body), 201)

    def _outside(self, request: web.Request) -> web.StreamResponse:
        """Paths that are no resource: discovery and the version."""
        if request.method != "GET":
            return _plain_not_found()
        if request.path == "/openapi/v2":
            headers = answers.common_headers(openapi_v2.MEDIA_TYPE)
            return web.Response(body=openapi_v2.document(), headers=headers)
        found = discovery.document(request.path, request.host)
        return _plain_not_found() if found is None else answers.as_json(found)


_IN_NAMESPACE = frozenset({"create", "delete", "deletecollection", "get", "patch", "update"})


def _no_such_path(info: RequestInfo) -> web.StreamResponse:
    """As the real one: a Status in a group that is served, plain text in one that is not."""
    group_version = f"{info.group}/{info.version}" if info.group else info.version
    if discovery.resources(group_version) is None:
        return _plain_not_found()
    raise no_such_resource()


def _plain_not_found() -> web.Response:
    return web.Response(
        text="404 page not found\n", status=404, headers={"X-Content-Type-Options": "nosniff"}
    )
