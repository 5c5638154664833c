"""The link to each node: its pods and its proxy rules go to the kubelet, their statuses come back."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from deploy.lab import proxy
from deploy.lab.apiserver import nodestatus, podstatus, times
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.handover import Find, MissingError, handed_over
from deploy.lab.apiserver.kubelet_client import Kubelet, KubeletError
from deploy.lab.apiserver.resources import CONFIGMAPS, ENDPOINTSLICES, NODES, PODS, SECRETS, SERVICES
from deploy.lab.apiserver.status import Object
from deploy.lab.apiserver.store import Change

_RETRY_SECONDS = 0.25
_OF_PODS = frozenset({PODS.plural, CONFIGMAPS.plural, SECRETS.plural})
_PROBE_SECONDS = 2.0


class Kubelets:
    """One link per Node object, begun and ended with it.

    Args:
        cluster: What the links serve.
        sockets: Where the kubelets' sockets are.
        grace_seconds: How long a kubelet may be silent before its node is called unknown.
    """

    def __init__(self, cluster: Cluster, sockets: Path, grace_seconds: float) -> None:
        self._cluster = cluster
        self._sockets = sockets
        self._grace_seconds = grace_seconds
        self._links: dict[str, asyncio.Task[None]] = {}

    def follow(self) -> Callable[[], None]:
        """Starts a link to every node, now and as nodes come. Returns what ends the following."""
        for node in self._cluster.store.objects(NODES):
            self._begin(node["metadata"]["name"])
        return self._cluster.store.listen(self._changed)

    async def end(self) -> None:
        """Ends all links."""
        links = list(self._links.values())
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def socket(self, node: str) -> Path:
        """Where a node's kubelet listens."""
        return self._sockets / f"{node}.sock"

    def _changed(self, change: Change) -> None:
        if change.resource != NODES.plural:
            return
        name = change.value["metadata"]["name"]
        if change.kind == "ADDED":
            self._begin(name)
        elif change.kind == "DELETED" and name in self._links:
            self._links.pop(name).cancel()

    def _begin(self, name: str) -> None:
        link = Link(self._cluster, name, self.socket(name), self._grace_seconds)
        self._links[name] = asyncio.get_running_loop().create_task(link.keep(), name=f"kubelet {name}")


class Link:
    """The link to one kubelet."""

    def __init__(self, cluster: Cluster, node: str, socket: Path, grace_seconds: float) -> None:
        self._cluster = cluster
        self._node = node
        self._socket = socket
        self._grace_seconds = grace_seconds
        self._heard = time.monotonic()
        self._told: dict[str, tuple[str, int]] = {}
        self._complaint = ""

    async def keep(self) -> None:
        """Connects, again and again, until cancelled."""
        while True:
            try:
                if self._socket.exists():
                    await self._talk()
            except* (KubeletError, OSError) as errors:
                self._complain(errors)
            self._consider_lost()
            await asyncio.sleep(_RETRY_SECONDS)

    def _complain(self, errors: BaseExceptionGroup[Exception]) -> None:
        """Says what went wrong, once for as long as it stays the same."""
        text = "; ".join(str(error) for error in errors.exceptions)
        if text != self._complaint:
            print(f"kubelet {self._node}: {text}", file=sys.stderr, flush=True)
        self._complaint = text

    async def _talk(self) -> None:
        async with Kubelet(self._socket) as kubelet:
            if not await kubelet.healthy():
                return
            self._told = {}
            self._note_ready()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._probe(kubelet))
                group.create_task(self._hear(kubelet))
                group.create_task(self._when_changed(_OF_PODS, lambda: self._tell_pods(kubelet)))
                proxied = {SERVICES.plural, ENDPOINTSLICES.plural, NODES.plural}
                group.create_task(
                    self._when_changed(proxied, _Proxy(self._cluster, self._node, kubelet).tell)
                )

    async def _probe(self, kubelet: Kubelet) -> None:
        while True:
            await asyncio.sleep(_PROBE_SECONDS)
            if not await kubelet.healthy():
                raise KubeletError("not healthy")
            self._note_ready()

    async def _hear(self, kubelet: Kubelet) -> None:
        async for report in kubelet.statuses():
            self._heard = time.monotonic()
            pod = self._pod(report["uid"])
            if pod is None:
                if not report.get("deleted"):
                    await kubelet.stop(report["uid"], 0)
            elif report.get("deleted"):
                self._told.pop(report["uid"], None)
                if "deletionTimestamp" in pod["metadata"]:
                    self._cluster.registry.remove(PODS, pod)
            else:
                self._merge(pod, report["status"])
        raise KubeletError("the kubelet ended its status stream")

    def _pod(self, uid: str) -> Object | None:
        return next((pod for pod in self._pods() if pod["metadata"]["uid"] == uid), None)

    def _pods(self) -> list[Object]:
        return [p for p in self._cluster.store.objects(PODS) if p["spec"].get("nodeName") == self._node]

    def _merge(self, pod: Object, reported: Object) -> None:
        before = pod.get("status", {})
        status = podstatus.merged(pod, reported)
        for news in podstatus.news(pod, before, status):
            self._cluster.events.record(pod, news, "kubelet", self._node)
        self._cluster.store.change(PODS, pod, lambda one: one.update(status=status))

    async def _when_changed(self, resources: AbstractSet[str], act: Callable[[], Awaitable[None]]) -> None:
        changed = asyncio.Event()

        def notice(change: Change) -> None:
            if change.resource in resources:
                changed.set()

        with contextlib.ExitStack() as stack:
            stack.callback(self._cluster.store.listen(notice))
            while True:
                await act()
                await changed.wait()
                changed.clear()

    async def _tell_pods(self, kubelet: Kubelet) -> None:
        pods = self._pods()
        for pod in pods:
            await self._tell_pod(kubelet, pod)
        # What was deleted without grace is no longer in the store.
        for uid in set(self._told) - {pod["metadata"]["uid"] for pod in pods}:
            self._told.pop(uid, None)
            await kubelet.stop(uid, 0)

    async def _tell_pod(self, kubelet: Kubelet, pod: Object) -> None:
        metadata = pod["metadata"]
        uid = metadata["uid"]
        if "deletionTimestamp" in metadata:
            word = ("stop", metadata.get("deletionGracePeriodSeconds", 0))
        else:
            word = ("run", metadata.get("generation", 1))
        if self._told.get(uid) == word:
            return
        over = pod.get("status", {}).get("phase") in podstatus.TERMINAL
        if word[0] == "run" and over and uid not in self._told:
            return  # A kubelet that has forgotten a finished pod must not run it again.
        if word[0] == "run":
            try:
                given = handed_over(pod, self._finder(pod))
            except MissingError as missing:
                self._hold(pod, missing)
                return
            self._told[uid] = word
            await kubelet.run(given)
            return
        self._told[uid] = word
        self._note_killing(pod)
        if not await kubelet.stop(uid, word[1]):
            self._cluster.registry.remove(PODS, pod)

    def _finder(self, pod: Object) -> Find:
        namespace = pod["metadata"]["namespace"]
        return lambda resource, name: self._cluster.store.get(resource, namespace, name)

    def _hold(self, pod: Object, missing: MissingError) -> None:
        """Lets a pod wait for what it needs, and says so once."""
        status = podstatus.waiting(pod, missing.waiting, str(missing))
        if status == pod.get("status"):
            return
        self._cluster.store.change(PODS, pod, lambda one: one.update(status=status))
        prefix = "Error: " if missing.event == "Failed" else ""
        news = News("Warning", missing.event, f"{prefix}{missing}")
        self._cluster.events.record(pod, news, "kubelet", self._node)

    def _note_killing(self, pod: Object) -> None:
        for container in pod["spec"]["containers"]:
            name = container["name"]
            news = News("Normal", "Killing", f"Stopping container {name}", f"spec.containers{{{name}}}")
            self._cluster.events.record(pod, news, "kubelet", self._node)

    def _note_ready(self) -> None:
        self._heard = time.monotonic()
        node = self._cluster.store.get(NODES, "", self._node)
        if node is None:
            return
        if podstatus.condition(node, "Ready") != "True" or _heartbeat_due(node):
            was = podstatus.condition(node, "Ready")
            self._cluster.store.change(NODES, node, nodestatus.make_ready)
            if was != "True":
                news = News("Normal", "NodeReady", f"Node {self._node} status is now: NodeReady")
                self._cluster.events.record(node, news, "kubelet", self._node)

    def _consider_lost(self) -> None:
        node = self._cluster.store.get(NODES, "", self._node)
        if node is None:
            return
        ready = podstatus.condition(node, "Ready")
        silent = time.monotonic() - self._heard > self._grace_seconds
        if ready == "True" and not silent:
            return
        if ready != "Unknown":
            self._cluster.store.change(NODES, node, nodestatus.make_unknown)
            news = News("Normal", "NodeNotReady", f"Node {self._node} status is now: NodeNotReady")
            self._cluster.events.record(node, news, "node-controller")
        for pod in self._pods():
            self._cluster.store.change(PODS, pod, _not_ready)


def _heartbeat_due(node: Object) -> bool:
    ready = next(one for one in node["status"]["conditions"] if one["type"] == "Ready")
    then: float = times.parse(ready["lastHeartbeatTime"]).timestamp()
    return time.time() - then > nodestatus.HEARTBEAT_SECONDS


def _not_ready(pod: Object) -> None:
    """What the node controller does to the pods of a lost node: they no longer count as ready."""
    for one in pod.get("status", {}).get("conditions", []):
        if one["type"] == "Ready" and one["status"] == "True":
            one["status"] = "False"
            one["lastTransitionTime"] = times.now()


class _Proxy:
    """The node's kube-proxy: renders its rules and has the kubelet set them when they change."""

    def __init__(self, cluster: Cluster, node: str, kubelet: Kubelet) -> None:
        self._cluster = cluster
        self._node = node
        self._kubelet = kubelet
        self._last = ""

    async def tell(self) -> None:
        store = self._cluster.store
        script = proxy.render(self._node, store.objects(SERVICES), store.objects(ENDPOINTSLICES))
        if script != self._last:
            await self._kubelet.program(script)
            self._last = script
