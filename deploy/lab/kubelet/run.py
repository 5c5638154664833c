"""One run of a container: from its creation to the end of its first process."""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Awaitable, Collection, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

from deploy.lab.kubelet import oci, pipes
from deploy.lab.kubelet.container_log import ContainerLog
from deploy.lab.kubelet.environment import command_line, environment
from deploy.lab.kubelet.image_store import Image
from deploy.lab.kubelet.runtime import Runtime

_DRAIN_SECONDS = 1.0


class Housing(Protocol):
    """What a container's run needs from its pod."""

    pod: Mapping[str, Any]
    runtime: Runtime
    host_address: str
    capabilities: Collection[str]

    @property
    def address(self) -> str:
        """The pod's address."""

    def surroundings(self, container: str, spec: Mapping[str, Any], image: Image) -> oci.Surroundings:
        """What a new container with that id is put into; its root file system is mounted by this."""

    def log_path(self, name: str) -> Path:
        """Where the log of a container's next run belongs."""

    def watch(self, process: int) -> Awaitable[int]:
        """The exit code of a container's first process, once that has ended."""

    async def kill(self, container: str) -> None:
        """Kills every process in the container's cgroup."""

    def out_of_memory(self, container: str) -> bool:
        """Whether the kernel killed someone in that container for memory."""


class Run:
    """One run of a container.

    Attributes:
        id: The container's, 64 hexadecimal digits.
        log: What it writes.
        process: Its first process, by its id on the node.
        process_config: The process part of its configuration: exec'd processes are like it.
    """

    def __init__(self, spec: Mapping[str, Any], image: Image, housing: Housing) -> None:
        self.id = secrets.token_hex(32)
        self.log = ContainerLog(housing.log_path(spec["name"]))
        self.process = 0
        self.process_config: dict[str, Any] = {}
        self._spec = spec
        self._image = image
        self._housing = housing
        self._logging: asyncio.Future[Any] | None = None
        self._end: Awaitable[int] | None = None

    async def start(self) -> None:
        """Creates the container and lets it run.

        Raises:
            RuntimeFailure: The runtime refuses.
            ValueError: The pod asks for something that cannot be.
        """
        config = self._config()
        (output, their_output), (errors, their_errors) = pipes.pair(), pipes.pair()
        self._logging = asyncio.gather(self.log.collect("stdout", output), self.log.collect("stderr", errors))
        with FileIO(os.open("/dev/null", os.O_RDONLY)) as nothing, their_output, their_errors:
            descriptors = (nothing.fileno(), their_output.fileno(), their_errors.fileno())
            self.process = await self._housing.runtime.create(self.id, config, descriptors)
        self._end = self._housing.watch(self.process)
        await self._housing.runtime.start(self.id)

    async def ended(self) -> int:
        """The exit code of its first process, once that has ended."""
        assert self._end is not None  # noqa: S101 - started before
        return await self._end

    def signal(self, number: signal.Signals) -> None:
        """Sends its first process a signal, if it still runs."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, number)

    async def clean_up(self) -> bool:
        """Kills what is left of it and removes it; whether it had run out of memory."""
        await self._housing.kill(self.id)
        out_of_memory = self._housing.out_of_memory(self.id)
        await self._housing.runtime.delete(self.id)
        if self._logging is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._logging, _DRAIN_SECONDS)
        return out_of_memory

    def _config(self) -> dict[str, Any]:
        housing = self._housing
        context = oci.effective_security_context(housing.pod["spec"], self._spec)
        if context.get("runAsNonRoot") and not context.get("runAsUser"):
            raise ValueError("container has runAsNonRoot and image will run as root")
        values = environment(housing.pod, self._spec, self._image.env, housing.address, housing.host_address)
        args = command_line(self._spec, self._image.command, values)
        env = [f"{name}={value}" for name, value in values.items()]
        self.process_config = oci.process(housing.pod, self._spec, args, env, housing.capabilities)
        around = housing.surroundings(self.id, self._spec, self._image)
        return oci.container_config(housing.pod, self._spec, self.process_config, around)
