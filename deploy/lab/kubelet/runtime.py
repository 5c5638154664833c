"""The container runtime: crun, with an overlay of the image and a small writable layer as each root."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.lab.kubelet.children import Children

_STATE = "/run/crun"
_CONTAINERS = Path("/run/containers")


class RuntimeFailure(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """crun refused; the text is its own."""


class Runtime:
    """Creates, starts and removes containers by their 64-digit ids."""

    def __init__(self, children: Children) -> None:
        self._children = children

    def rootfs(self, container: str, image: Path) -> str:
        """Mounts a new root: the image's files, which nothing can change, below a writable layer."""
        folder = _CONTAINERS / container
        for name in ("upper", "work", "rootfs"):
            (folder / name).mkdir(parents=True)
        options = f"lowerdir={image},upperdir={folder}/upper,workdir={folder}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", f"{folder}/rootfs"], check=True)
        return str(folder / "rootfs")

    async def create(self, container: str, config: Mapping[str, Any], descriptors: Sequence[int]) -> int:
        """Makes the container, whose first process waits to be started.

        Args:
            container: Its id.
            config: Its OCI configuration.
            descriptors: What become its standard input, output and error.

        Returns:
            The id of its first process.

        Raises:
            RuntimeFailure: It cannot be made.
        """
        folder = _CONTAINERS / container
        (folder / "config.json").write_text(json.dumps(config))
        arguments = ["create", "--bundle", str(folder), "--pid-file", str(folder / "pid"), container]
        code = await self._children.spawn(self._crun(container, *arguments), descriptors)
        if code:
            raise RuntimeFailure(self._complaint(container))
        return int((folder / "pid").read_text())

    async def start(self, container: str) -> None:
        """Lets the first process run.

        Raises:
            RuntimeFailure: It cannot.
        """
        done = await self._children.run(self._crun(container, "start", container))
        if done.code:
            raise RuntimeFailure(self._complaint(container))

    def exec(
        self, container: str, name: str, process: Mapping[str, Any], descriptors: Sequence[int | str]
    ) -> asyncio.Future[int]:
        """Runs one more process in a container.

        crun is not left to wait for it: in a container with the node's processes it would wait for whatever
        that process leaves behind, too, which no cluster does. A terminal crun must hold: there it does wait.

        Args:
            container: Its id.
            name: The exec's.
            process: The process part of an OCI configuration.
            descriptors: As for `Children.spawn`.

        Returns:
            Its exit code, once it has ended.
        """
        files = [_CONTAINERS / container / f"{name}.{suffix}" for suffix in ("json", "pid", "log")]
        files[0].write_text(json.dumps(process))
        terminal = bool(process["terminal"])
        arguments = ["exec", "--tty" if terminal else "--detach", "--pid-file", str(files[1])]
        arguments += ["--process", str(files[0]), container]
        started = self._children.spawn(self._crun(container, *arguments, log=name), descriptors)
        return asyncio.ensure_future(self._exec_ended(started, files, terminal=terminal))

    def terminal(self, container: str, name: str) -> Path | None:
        """The terminal that an exec's process was started with; None before it was."""
        try:
            pid = int((_CONTAINERS / container / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None
        return Path(f"/proc/{pid}/fd/0")

    async def _exec_ended(self, started: Awaitable[int], files: Sequence[Path], *, terminal: bool) -> int:
        code = await started
        pid = files[1]
        if code == 0 and not terminal and pid.exists():
            code = await self._children.watch(int(pid.read_text()))
        for file in files:
            file.unlink(missing_ok=True)
        return code

    def _complaint(self, container: str) -> str:
        """What crun wrote into a container's log, as one line."""
        path = _CONTAINERS / container / "crun.log"
        lines = [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []
        return "; ".join(line["msg"] for line in lines if line["level"] == "error")

    async def delete(self, container: str) -> None:
        """Removes a container, killing what is left of it; one that was never created is no error."""
        await self._children.run(self._crun(container, "delete", "--force", container))
        folder = _CONTAINERS / container
        await asyncio.to_thread(_remove, folder)

    def _crun(self, container: str, *arguments: str, log: str = "crun") -> list[str]:
        options = ["--root", _STATE, "--cgroup-manager", "cgroupfs", "--log-format", "json"]
        return ["crun", *options, "--log", str(_CONTAINERS / container / f"{log}.log"), *arguments]


def _remove(folder: Path) -> None:
    if (folder / "rootfs").is_mount():
        subprocess.run(["umount", "--lazy", str(folder / "rootfs")], check=True)
    shutil.rmtree(folder, ignore_errors=True)
