"""One cgroup tree that holds every process of a lab, so that none can escape `down`.

It exists in every hierarchy of the machine: in the one of cgroup v2, or in each of v1 and in the hybrid's v2.
A child starts in its parent's cgroup, and nothing in the lab may write outside its own tree.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_V1_NOT_CONTROLLERS = {"rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods"}
_DELEGATED = ("cpu", "memory", "pids")


@dataclass(frozen=True)
class Hierarchy:
    """A mounted cgroup hierarchy.

    Attributes:
        root: Its mount point.
        options: What `mount -t cgroup -o` needs to mount it once more; empty for v2.
    """

    root: Path
    options: str

    @property
    def unified(self) -> bool:
        """Whether it is cgroup v2."""
        return not self.options


def parse_mounts(mountinfo: str) -> tuple[Hierarchy, ...]:
    """The cgroup hierarchies in the text of /proc/self/mountinfo (proc(5)), each once.

    Only mounts of a whole hierarchy count. Seen from a cgroup namespace the root of such a mount is `/../..`.
    """
    found: dict[str, Hierarchy] = {}
    for line in mountinfo.splitlines():
        mount, _, kind = line.partition(" - ")
        root, point = mount.split()[3:5]
        filesystem, _, super_options = kind.split()[:3]
        if root.strip("/.") or filesystem not in {"cgroup", "cgroup2"}:
            continue
        options = "" if filesystem == "cgroup2" else _v1_options(super_options)
        found.setdefault(options, Hierarchy(Path(point), options))
    return tuple(found.values())


def _v1_options(super_options: str) -> str:
    names = [
        option
        for option in super_options.split(",")
        if option not in _V1_NOT_CONTROLLERS and not option.startswith("release_agent=")
    ]
    return ",".join(["none", *names] if names[0].startswith("name=") else names)


def mounted() -> tuple[Hierarchy, ...]:
    """This machine's hierarchies."""
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


class Tree:
    """The cgroup NAME directly below every hierarchy's root, with the groups below it.

    Args:
        name: Its name.
        hierarchies: Where; this machine's when left out.
    """

    def __init__(self, name: str, hierarchies: Iterable[Hierarchy] | None = None) -> None:
        self.name = name
        self.hierarchies = tuple(mounted() if hierarchies is None else hierarchies)

    def make(self, group: str = "") -> None:
        """Makes the tree, or a group in it, with the controllers delegated to it.

        Raises:
            OSError: The machine does not let us.
        """
        for hierarchy in self.hierarchies:
            _make(hierarchy, Path(self.name) / group)

    def inside(self, group: str, argv: list[str]) -> list[str]:
        """The command line that runs another one in a group."""
        entries = [str(path / "cgroup.procs") for path in self._paths(group)]
        enter = 'until [ "$1" = -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"'
        return ["sh", "-c", enter, "sh", *entries, "--", *argv]

    def move(self, process: int, group: str) -> None:
        """Moves a process into a group."""
        for path in self._paths(group):
            (path / "cgroup.procs").write_text(str(process))

    def exists(self) -> bool:
        """Whether the tree is there, in whichever hierarchy."""
        return any(path.is_dir() for path in self._paths())

    def processes(self, group: str = "") -> set[int]:
        """The ids of all processes in the tree, or in a group and below it."""
        return {
            process
            for path in self._paths(group)
            for below in _folders(path)
            for process in _processes(below)
        }

    def kill(self, group: str = "", seconds: float = 20.0) -> None:
        """Kills every process of the tree, or of a group and below it, and waits until none is left.

        Raises:
            TimeoutError: Some are still there.
        """
        _until(seconds, lambda: self._kill_once(group) == 0, f"cgroup {self.name} still has processes")

    def remove(self, seconds: float = 20.0) -> None:
        """Removes the tree, which must be empty of processes.

        Raises:
            TimeoutError: The kernel still holds it.
        """
        _until(seconds, self._remove_once, f"cgroup {self.name} could not be removed")

    def _paths(self, group: str = "") -> list[Path]:
        return [hierarchy.root / self.name / group for hierarchy in self.hierarchies]

    def _kill_once(self, group: str) -> int:
        processes = self.processes(group)
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return len(processes)

    def _remove_once(self) -> bool:
        for path in self._paths():
            for below in sorted(_folders(path), reverse=True):
                with contextlib.suppress(OSError):
                    below.rmdir()
        return not self.exists()


def delegate(path: Path) -> None:
    """Lets the children of a v2 cgroup be limited, as far as its own parent lets it.

    The group itself must hold no process then (the kernel's "no internal process" rule, cgroups(7)).
    """
    available = (path / "cgroup.controllers").read_text().split()
    for controller in _DELEGATED:
        if controller in available:
            (path / "cgroup.subtree_control").write_text(f"+{controller}")


def _make(hierarchy: Hierarchy, group: Path) -> None:
    path = hierarchy.root
    for part in group.parts:
        if hierarchy.unified and path != hierarchy.root:
            delegate(path)
        path = path / part
        if not path.is_dir():
            path.mkdir()
            _allow_cpus(path)


def _allow_cpus(path: Path) -> None:
    """A new v1 cpuset has no CPUs, and no process can enter it, until it is given its parent's."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (path / name).exists() and (path / "cgroup.clone_children").exists():
            (path / name).write_text((path.parent / name).read_text())


def _folders(path: Path) -> Iterator[Path]:
    return (Path(folder) for folder, _, _ in os.walk(path))


def _processes(path: Path) -> list[int]:
    try:
        return [int(line) for line in (path / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _until(seconds: float, done: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.02)
