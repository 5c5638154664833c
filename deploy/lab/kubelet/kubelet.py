"""What a node's kubelet knows: its pods, and who wants to hear of them."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deploy.lab.kubelet.pod import NodeParts, Pod


class Kubelet:
    """Runs the pods of one node.

    Attributes:
        parts: What the pods share.
        pods: By UID.
    """

    def __init__(self, parts: NodeParts) -> None:
        self.parts = parts
        self.pods: dict[str, Pod] = {}
        self._subscribers: set[asyncio.Queue[dict[str, Any]]] = set()
        self._removals: set[asyncio.Task[None]] = set()

    def run(self, pod: Mapping[str, Any]) -> None:
        """Runs a pod; one that is there already stays as it is."""
        uid = pod["metadata"]["uid"]
        if uid not in self.pods:
            self.pods[uid] = Pod(pod, self.parts, self._tell)

    def delete(self, uid: str, grace: float) -> None:
        """Ends a pod and removes it; the subscribers hear when nothing of it is left."""
        removal = asyncio.ensure_future(self._remove(uid, grace))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """A queue with the status of every pod, then with each change."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for pod in self.pods.values():
            queue.put_nowait(_news(pod))
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)

    async def _remove(self, uid: str, grace: float) -> None:
        pod = self.pods.get(uid)
        if pod is not None:
            await pod.remove(grace)
            self.pods.pop(uid, None)
        self._publish({"uid": uid, "deleted": True})

    def _tell(self, pod: Pod) -> None:
        self._publish(_news(pod))

    def _publish(self, news: dict[str, Any]) -> None:
        for queue in self._subscribers:
            queue.put_nowait(news)


def _news(pod: Pod) -> dict[str, Any]:
    return {"uid": pod.uid, "status": pod.status}
