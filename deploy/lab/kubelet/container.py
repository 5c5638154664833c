"""One container of a pod, kept as its pod's restart policy says."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from deploy.lab.kubelet.clock import now
from deploy.lab.kubelet.container_log import ContainerLog
from deploy.lab.kubelet.image_store import Image, ImageStore
from deploy.lab.kubelet.probes import Probe
from deploy.lab.kubelet.run import Housing, Run
from deploy.lab.kubelet.runtime import RuntimeFailure
from deploy.lab.kubelet.status import ContainerState

_BACK_OFF_SECONDS = (0, 10, 20, 40, 80, 160, 300)
_PULL_SECONDS = 2
_START_FAILED = 128
"""The exit code that Kubernetes shows for a container that could not be started."""


class Container:
    """Keeps one container running until it is stopped.

    Attributes:
        state: What is known about it.
        run: Its newest run.
        log_before: The log of the run before.
    """

    def __init__(
        self, spec: Mapping[str, Any], housing: Housing, images: ImageStore, changed: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.state = ContainerState(spec["name"], spec["image"])
        self.run: Run | None = None
        self.log_before: ContainerLog | None = None
        self._housing = housing
        self._images = images
        self._changed = changed
        self._stopping = asyncio.Event()

    async def keep(self) -> None:
        """Runs it, and again if its pod's `restartPolicy` says so, until it is stopped."""
        image = await self._find_image()
        policy = self._housing.pod["spec"].get("restartPolicy", "Always")
        while image is not None:
            code = await self._run(image)
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            if await self._back_off():
                return

    def stop(self) -> None:
        """Asks its process to end (SIGTERM) and lets no other begin."""
        self._stopping.set()
        if self.run is not None:
            self.run.signal(signal.SIGTERM)

    async def _find_image(self) -> Image | None:
        name = self.spec["image"]
        while (image := self._images.get(name)) is None:
            if self.spec.get("imagePullPolicy") == "Never":
                text = f'Container image "{name}" is not present with pull policy of Never'
                self._wait("ErrImageNeverPull", text)
                await self._stopping.wait()
                return None
            problem = f'failed to resolve reference "{name}": {name}: not found'
            self._wait("ErrImagePull", f'failed to pull and unpack image "{name}": {problem}')
            if await self._stopped_within(_PULL_SECONDS):
                return None
            self._wait("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {problem}')
            if await self._stopped_within(_BACK_OFF_SECONDS[-1]):
                return None
        self.state.image_id = image.id
        return image

    async def _run(self, image: Image) -> int:
        """One run of the container: its exit code."""
        self.log_before = self.run.log if self.run else None
        self.run = run = Run(self.spec, image, self._housing)
        self.state.container_id = run.id
        started = now()
        code, failure = _START_FAILED, ""
        try:
            await run.start()
            started = now()
            self.state.state = {"running": {"startedAt": started}}
            self.state.passes_probes = not self.spec.get("readinessProbe")
            self._changed()
            if self._stopping.is_set():
                run.signal(signal.SIGTERM)
            async with self._probing():
                code = await run.ended()
        except (RuntimeFailure, ValueError) as problem:
            failure = str(problem)
        out_of_memory = await run.clean_up()
        reason = "OOMKilled" if out_of_memory else "Error" if code else "Completed"
        ended = {"exitCode": code, "reason": "StartError" if failure else reason}
        ended |= {"startedAt": started, "finishedAt": now(), "containerID": f"containerd://{run.id}"}
        self.state.state = {"terminated": ended | ({"message": failure} if failure else {})}
        self.state.passes_probes = False
        self._changed()
        return code

    async def _back_off(self) -> bool:
        """Waits before the next run; whether it was stopped instead."""
        count = self.state.restart_count
        seconds = _BACK_OFF_SECONDS[min(count, len(_BACK_OFF_SECONDS) - 1)]
        if self._stopping.is_set():
            return True
        if seconds:
            meta = self._housing.pod["metadata"]
            whose = f"pod={meta['name']}_{meta.get('namespace', 'default')}({meta['uid']})"
            before = self.state.state
            text = f"back-off {seconds}s restarting failed container={self.spec['name']} {whose}"
            self.state.last_state = before
            self._wait("CrashLoopBackOff", text)
            if await self._stopped_within(seconds):
                self.state.state = before
                self._changed()
                return True
        else:
            self.state.last_state = self.state.state
        self.state.restart_count = count + 1
        return False

    @asynccontextmanager
    async def _probing(self) -> AsyncIterator[None]:
        tasks = []
        for field, tell in (("readinessProbe", self._tell_ready), ("livenessProbe", self._tell_alive)):
            if self.spec.get(field):
                probe = Probe(self.spec[field], self.spec, self._housing.address)
                tasks.append(asyncio.ensure_future(probe.watch(tell, eager=field == "readinessProbe")))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tell_ready(self, good: bool) -> None:
        if self.state.passes_probes != good:
            self.state.passes_probes = good
            self._changed()

    def _tell_alive(self, good: bool) -> None:
        if not good and self.run is not None:
            self.run.signal(signal.SIGTERM)
            grace = self._housing.pod["spec"].get("terminationGracePeriodSeconds", 30)
            asyncio.get_running_loop().call_later(grace, self.run.signal, signal.SIGKILL)

    def _wait(self, reason: str, message: str) -> None:
        self.state.state = {"waiting": {"reason": reason, "message": message}}
        self._changed()

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()
