"""The one interface through which podcap asks a cluster anything."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

from workers.cluster.api import Api
from workers.cluster.errors import (
    ConflictError,
    ForbiddenError,
    NamespaceNotFoundError,
    NodeNotFoundError,
    NodeNotReadyError,
    NotRunningError,
    PodNotFoundError,
    RefusedError,
)
from workers.cluster.exec import Completed, ExecStream, complete
from workers.cluster.handshake import open_websocket
from workers.cluster.node import Node, node_from_json
from workers.cluster.pod import Pod, pod_from_json
from workers.cluster.review import (
    MAY_PATH,
    WHO_PATH,
    Right,
    allowed,
    may_review,
    user_of,
    who_review,
)
from workers.cluster.suggest import did_you_mean

_PAGE = 500
_WATCH_SECONDS = 1


class Cluster:
    """One cluster, asked by one thread: every thread connects for itself (kubernetes-client/python #928).

    Every method raises `ClusterError` with one sentence; every wait has its limit.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._api.close()

    def pod(self, namespace: str, name: str) -> Pod:
        """The pod as it is now, in whatever state.

        Raises:
            PodNotFoundError: There is none, and these names are near.
            NamespaceNotFoundError: There is not even the namespace.
        """
        try:
            return pod_from_json(self._api.request("GET", _pod_path(namespace, name)))
        except PodNotFoundError as error:
            raise self._no_such_pod(namespace, name) from error

    def running_pod(self, namespace: str, name: str) -> Pod:
        """The pod, if packets can be captured from it now: it runs, on a node that is Ready.

        Raises:
            PodNotFoundError: There is none.
            NamespaceNotFoundError: There is no such namespace.
            NotRunningError: It is Pending, Succeeded, Failed or terminating.
            NodeNotReadyError: Its node does not report.
        """
        pod = self.pod(namespace, name)
        self.refuse_unless_capturable(pod)
        return pod

    def refuse_unless_capturable(self, pod: Pod) -> None:
        """Raises unless packets can be captured from this pod now.

        Raises:
            NotRunningError: It is Pending, Succeeded, Failed or terminating.
            NodeNotFoundError: Its node is gone.
            NodeNotReadyError: Its node does not report.
        """
        refuse_unless_running(pod)
        node = self.node(pod.node or "")
        if not node.ready:
            raise NodeNotReadyError(
                f"Pod {pod.name} is on node {node.name}, which is not Ready{_because(node.why)}: "
                "nothing can be captured there."
            )

    def node(self, name: str) -> Node:
        """The node as it is now."""
        try:
            return node_from_json(self._api.request("GET", f"/api/v1/nodes/{quote(name, safe='')}"))
        except RefusedError as error:
            raise NodeNotFoundError(f"There is no node {name}.") from error

    def list_namespaces(self) -> tuple[str, ...]:
        """The names of all namespaces."""
        return tuple(item["metadata"]["name"] for item in self.objects("/api/v1/namespaces"))

    def list_pod_names(self, namespace: str) -> tuple[str, ...]:
        """The names of all pods of a namespace; also empty when there is no such namespace."""
        return tuple(item["metadata"]["name"] for item in self.objects(_pod_path(namespace)))

    def pods_with_label(self, namespace: str, selector: str) -> tuple[Pod, ...]:
        """The pods of a namespace that a label selector (`key`, `key=value`) selects."""
        items = self.objects(_pod_path(namespace), {"labelSelector": selector})
        return tuple(pod_from_json(item) for item in items)

    def objects(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of a kind, page by page.

        Args:
            path: Such as `/api/v1/pods`.
            query: A selector, for example.
        """
        page: dict[str, str] = dict(query or {}) | {"limit": str(_PAGE)}
        while True:
            answer = self._api.request("GET", path, page)
            yield from answer["items"]
            rest = answer["metadata"].get("continue")
            if not rest:
                return
            page["continue"] = rest

    def version(self) -> str:
        """The API server's version, such as `v1.36.1`."""
        return str(self._api.request("GET", "/version")["gitVersion"])

    def user(self) -> str:
        """The name that the API server knows podcap's credentials by.

        Raises:
            ForbiddenError, NotServedError: It does not say (before Kubernetes 1.28).
        """
        return user_of(self._api.request("POST", WHO_PATH, body=who_review()))

    def may(self, right: Right) -> bool:
        """Whether podcap's credentials have a right."""
        return allowed(self._api.request("POST", MAY_PATH, body=may_review(right)))

    def create_pod(self, namespace: str, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Pod:
        """Creates a pod. Not sent twice by itself: the caller knows what a second one would mean.

        Args:
            namespace: Where.
            manifest: The pod.
            dry_run: Everything but storing it: rights, defaults, admission.

        Raises:
            ConflictError: One of that name is there already.
            ForbiddenError: By RBAC, PodSecurity, a quota or another admission rule.
        """
        query = {"dryRun": "All"} if dry_run else None
        return pod_from_json(self._api.request("POST", _pod_path(namespace), query, body=manifest))

    def delete_pod(self, namespace: str, name: str, *, uid: str | None = None, grace: int = 0) -> bool:
        """Deletes a pod; with `uid`, only that very one. Whether there was one to delete."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": grace}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            self._api.request("DELETE", _pod_path(namespace, name), body=options)
        except PodNotFoundError:
            return False
        return True

    def log(
        self,
        namespace: str,
        name: str,
        container: str,
        *,
        since: str,
        limit_bytes: int,
        previous: bool = False,
    ) -> bytes:
        """A container's log: `TIME LINE`, where TIME is when its runtime read the line, by the node's clock.

        Args:
            namespace: Of the pod.
            name: The pod.
            container: Which of its containers.
            since: RFC 3339; lines of before are left out. Kubernetes looks at whole seconds.
            limit_bytes: So much of it, from its beginning.
            previous: Of the container's run before this one.
        """
        query = {"container": container, "timestamps": "true", "sinceTime": since, "limitBytes": limit_bytes}
        if previous:
            query["previous"] = "true"
        return self._api.content(f"{_pod_path(namespace, name)}/log", query, limit_bytes=limit_bytes)

    def create_event(self, event: Mapping[str, Any]) -> None:
        """Writes an Event (`event.pod_event`) into its namespace; one that is there already is left alone.

        Raises:
            ForbiddenError: podcap's account may not create events there.
        """
        namespace = quote(event["metadata"]["namespace"], safe="")
        with suppress(ConflictError):
            self._api.request("POST", f"/api/v1/namespaces/{namespace}/events", body=event)

    def watch_pod(self, namespace: str, name: str, *, seconds: float) -> Iterator[Pod | None]:
        """The pod's state now and at each change, at least once a second; None when it is not there.

        Ends after `seconds`. A watch that breaks off is asked for again, and every round begins with a plain
        read, so nothing that lasts is missed.
        """
        until = time.monotonic() + seconds
        selector = {"fieldSelector": f"metadata.name={name}"}
        query = selector | {"watch": "1", "timeoutSeconds": str(_WATCH_SECONDS)}
        while time.monotonic() < until:
            yield self._pod_or_none(namespace, name)
            for event in self._api.lines(_pod_path(namespace), query, seconds=2 * _WATCH_SECONDS):
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield pod_from_json(event["object"])
                elif event["type"] == "DELETED":
                    yield None

    def run(
        self,
        pod: Pod,
        container: str,
        argv: Sequence[str],
        *,
        seconds: float,
        limit_bytes: int = 1 << 20,
        stdin: bytes | None = None,
        poll: Callable[[], None] | None = None,
    ) -> Completed:
        """Runs a command in a container to its end.

        Args:
            pod: The pod; only its namespace and name are used.
            container: The container's name.
            argv: The command, each value one argument; no shell is added.
            seconds: How long it may take.
            limit_bytes: How much it may write to each of its outputs.
            stdin: Its standard input.
            poll: Called at least once a second; may raise to give up.
        """
        stream = self._exec(pod, container, argv, stdin is not None, seconds, None, poll)
        return complete(stream, stdin=stdin, limit_bytes=limit_bytes)

    def stream(
        self,
        pod: Pod,
        container: str,
        argv: Sequence[str],
        *,
        seconds: float,
        silence: float | None = None,
        stdin: bool = False,
        poll: Callable[[], None] | None = None,
    ) -> ExecStream:
        """Runs a command whose output is taken as it comes. Use it in a `with` statement.

        With `stdin` it reads what `ExecStream.say` gives it.
        """
        return self._exec(pod, container, argv, stdin, seconds, silence, poll)

    def _exec(
        self,
        pod: Pod,
        container: str,
        argv: Sequence[str],
        stdin: bool,
        seconds: float,
        silence: float | None,
        poll: Callable[[], None] | None,
    ) -> ExecStream:
        query = [("container", container), *(("command", argument) for argument in argv)]
        query += [("stdin", str(stdin).lower()), ("stdout", "true"), ("stderr", "true"), ("tty", "false")]
        path = f"{_pod_path(pod.namespace, pod.name)}/exec?{urlencode(query)}"
        connection = open_websocket(self._api.configuration, path, self._api.headers())
        return ExecStream(connection, seconds=seconds, silence=silence, poll=poll)

    def _pod_or_none(self, namespace: str, name: str) -> Pod | None:
        try:
            return pod_from_json(self._api.request("GET", _pod_path(namespace, name)))
        except PodNotFoundError:
            return None

    def _no_such_pod(self, namespace: str, name: str) -> PodNotFoundError | NamespaceNotFoundError:
        names = self.list_pod_names(namespace)
        if not names:
            # A list in a namespace that does not exist is empty, too.
            try:
                namespaces = self.list_namespaces()
            except ForbiddenError:
                namespaces = (namespace,)
            if namespace not in namespaces:
                return NamespaceNotFoundError(
                    f"There is no namespace {namespace}.{did_you_mean(namespace, namespaces)}"
                )
        return PodNotFoundError(
            f"There is no pod {name} in namespace {namespace}.{did_you_mean(name, names)}"
        )


def connect(kubeconfig: str | Path | None = None, *, context: str | None = None) -> Cluster:
    """A cluster by its kubeconfig, or without one by the service account that podcap runs with.

    Raises:
        ClusterError: There is no way to a cluster.
    """
    return Cluster(Api.connect(kubeconfig, context))


def refuse_unless_running(pod: Pod) -> None:
    """Raises `NotRunningError` with the pod's own sentence unless it runs. Pure."""
    if pod.deleting:
        sentence = f"Pod {pod.name} is terminating: capture the pod that replaces it."
    elif pod.phase == "Pending":
        sentence = f"Pod {pod.name} is Pending{_because(pod.why)}: it has no packets yet."
    elif pod.phase == "Succeeded":
        sentence = f"Pod {pod.name} has Succeeded: it ended and has no packets any more."
    elif pod.phase == "Failed":
        sentence = f"Pod {pod.name} has Failed{_because(pod.why)}: it ended and has no packets any more."
    elif pod.phase != "Running" or pod.node is None:
        sentence = f"Pod {pod.name} is in phase {pod.phase}: its node does not say whether it runs."
    else:
        return
    raise NotRunningError(sentence)


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _pod_path(namespace: str, name: str | None = None) -> str:
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
    return path if name is None else f"{path}/{quote(name, safe='')}"
