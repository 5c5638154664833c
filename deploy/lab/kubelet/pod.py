"""A pod on its node, from its arrival to the moment when nothing of it is left."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.lab.kubelet import oci
from deploy.lab.kubelet.children import Children
from deploy.lab.kubelet.clock import now
from deploy.lab.kubelet.container import Container
from deploy.lab.kubelet.image_store import Image, ImageStore
from deploy.lab.kubelet.pod_cgroup import PodCgroup, cgroups_are_unified, memory_can_be_limited
from deploy.lab.kubelet.pod_network import PodNetwork
from deploy.lab.kubelet.qos import pod_cgroup
from deploy.lab.kubelet.refusal import refusal
from deploy.lab.kubelet.runtime import Runtime
from deploy.lab.kubelet.sandbox import PAUSE, Sandbox
from deploy.lab.kubelet.status import PodState, pod_status
from deploy.lab.kubelet.volumes import Volumes

_DEFAULT_GRACE = 30
_MEASURE_SECONDS = 1.0
_STEP_SECONDS = 0.1
_SANDBOX_SECONDS = 5.0


@dataclass(frozen=True)
class NodeParts:
    """What the pods of a node share.

    Attributes:
        host_address: The node's on the LAN.
        capabilities: Those of the kubelet: it cannot give a container others.
        pods: The folder of the node's disk in which each pod has its own.
    """

    children: Children
    runtime: Runtime
    network: PodNetwork
    images: ImageStore
    host_address: str
    capabilities: Collection[str]
    pods: Path


class Pod:
    """One pod.

    Attributes:
        pod: The Pod as the API server sent it.
        status: Its newest PodStatus.
        containers: By name.
    """

    def __init__(self, pod: Mapping[str, Any], node: NodeParts, tell: Callable[["Pod"], None]) -> None:
        self.pod = pod
        self.runtime = node.runtime
        self.host_address = node.host_address
        self.capabilities: Collection[str] = node.capabilities
        self.status: dict[str, Any] = {}
        self.containers = {
            spec["name"]: Container(spec, self, node.images, self._changed)
            for spec in pod["spec"]["containers"]
        }
        self._node = node
        self._tell = tell
        self._folder = node.pods / self.uid
        self._sandbox = Sandbox(pod, node.runtime, node.network, node.children, node.host_address)
        self._volumes = Volumes(pod["spec"], self._folder)
        self._cgroup = PodCgroup(pod_cgroup(pod["spec"], self.uid))
        states = [container.state for container in self.containers.values()]
        self._state = PodState(now(), node.host_address, states)
        self._told_to_end = asyncio.Event()
        self._kill_at: float | None = None
        self._ending: asyncio.Future[None] | None = None
        self._life = asyncio.ensure_future(self._live())
        self._life.add_done_callback(self._report_fault)

    @property
    def uid(self) -> str:
        """The pod's UID."""
        return str(self.pod["metadata"]["uid"])

    @property
    def address(self) -> str:
        """The pod's address; empty until it has one."""
        return self._sandbox.address

    async def remove(self, grace: float) -> None:
        """Ends the pod and takes everything of it away; a second call may shorten the first one's grace."""
        await self._end(grace)
        await asyncio.to_thread(self._remove_rest)

    def surroundings(self, container: str, spec: Mapping[str, Any], image: Image) -> oci.Surroundings:
        """What a new container with that id is put into; its root file system is mounted by this."""
        binds = [*self._sandbox.files(self._folder / "etc"), *self._volumes.binds(spec)]
        return self._surroundings(container, image, binds, self._sandbox.process)

    def log_path(self, name: str) -> Path:
        """Where the log of a container's next run belongs."""
        return self._folder / "logs" / name / f"{self.containers[name].state.restart_count}.log"

    def watch(self, process: int) -> Awaitable[int]:
        """The exit code of a container's first process, once that has ended."""
        return self._node.children.watch(process)

    async def kill(self, container: str) -> None:
        """Kills every process in the container's cgroup."""
        await asyncio.to_thread(self._cgroup.kill, container)

    def out_of_memory(self, container: str) -> bool:
        """Whether the kernel killed someone in that container for memory."""
        return self._cgroup.out_of_memory(container)

    async def _live(self) -> None:
        problem = refusal(self.pod)
        if problem is not None:
            self._fail("UnexpectedAdmissionError", problem)
            return
        self._changed()
        if not await self._sandbox_started():
            return
        watchers = [
            asyncio.ensure_future(self._watch_volumes()),
            asyncio.ensure_future(self._watch_deadline()),
        ]
        try:
            await asyncio.gather(*(container.keep() for container in self.containers.values()))
        finally:
            for watcher in watchers:
                watcher.cancel()
            await self._tear_down()

    async def _sandbox_started(self) -> bool:
        """Tries until the pod has its namespaces, as the kubelet does; False when it was ended before."""
        while True:
            try:
                await self._start_sandbox()
            except (OSError, RuntimeError, LookupError, subprocess.CalledProcessError) as error:
                problem = f"Failed to create pod sandbox: {error}"
            else:
                return True
            print(f"pod {self.pod['metadata']['name']}: {problem}", file=sys.stderr, flush=True)
            for container in self.containers.values():
                container.state.state = {"waiting": {"reason": "ContainerCreating", "message": problem}}
            await self._tear_down()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_end.wait(), _SANDBOX_SECONDS)
            if self._told_to_end.is_set():
                return False

    async def _start_sandbox(self) -> None:
        self._volumes.make()
        image = self._node.images.get(PAUSE)
        if image is None:
            raise LookupError(f"the node has no image {PAUSE}")
        around = self._surroundings(self._sandbox.id, image, [], None)
        await self._sandbox.start(image.command, around)
        self._state.addresses = self._sandbox.addresses
        self._state.sandbox_ready = True
        self._changed()

    def _surroundings(
        self, container: str, image: Image, binds: Sequence[oci.Bind], sandbox: int | None
    ) -> oci.Surroundings:
        return oci.Surroundings(
            rootfs=self.runtime.rootfs(container, image.rootfs),
            cgroup=f"{pod_cgroup(self.pod['spec'], self.uid)}/{container}",
            hostname=self._sandbox.hostname,
            sandbox=sandbox,
            private_cgroup=cgroups_are_unified(),
            memory_limit=memory_can_be_limited(),
            binds=binds,
        )

    async def _watch_volumes(self) -> None:
        """Evicts the pod when an emptyDir holds more than its limit, as the eviction manager does."""
        if not self._volumes.limited():
            return
        while True:
            exceeded = await asyncio.to_thread(self._volumes.exceeded)
            if exceeded is not None:
                name, limit = exceeded
                text = f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
                self._fail("Evicted", text)
                self._end_soon(0)
                return
            await asyncio.sleep(_MEASURE_SECONDS)

    async def _watch_deadline(self) -> None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is not None:
            await asyncio.sleep(float(seconds))
            self._fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
            self._end_soon(self.pod["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE))

    def _end_soon(self, grace: float) -> None:
        self._ending = asyncio.ensure_future(self._end(grace))

    async def _end(self, grace: float) -> None:
        """Lets every container end by itself for `grace` seconds, then kills whatever is left."""
        clock = asyncio.get_running_loop().time
        kill_at = clock() + grace
        self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)
        self._told_to_end.set()
        for container in self.containers.values():
            container.stop()
        while not self._life.done():
            if clock() >= self._kill_at:
                await asyncio.to_thread(self._cgroup.kill)
            await asyncio.wait({self._life}, timeout=_STEP_SECONDS)

    async def _tear_down(self) -> None:
        """Removes what a pod that has ended no longer needs: all but its logs."""
        await asyncio.to_thread(self._cgroup.kill)
        await self._sandbox.remove()
        self._state.sandbox_ready = False
        await asyncio.to_thread(self._cgroup.remove)
        await asyncio.to_thread(self._volumes.remove)
        self._changed()

    def _report_fault(self, life: "asyncio.Future[None]") -> None:
        """A fault of the kubelet's own must not look like a slow pod."""
        error = None if life.cancelled() else life.exception()
        if error is not None:
            traceback.print_exception(error, file=sys.stderr)
            self._fail("KubeletFault", f"{type(error).__name__}: {error}")

    def _remove_rest(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _fail(self, reason: str, message: str) -> None:
        self._state.failed = (reason, message)
        self._changed()

    def _changed(self) -> None:
        status = pod_status(self.pod, self._state, self.status, now())
        if status != self.status:
            self.status = status
            self._tell(self)
