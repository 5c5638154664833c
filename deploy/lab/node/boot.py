"""The first moments of a node, as its process 1: its file system, devices, network; then tini and kubelet.

A node's root is a small tmpfs into which the machine's programs are bound read-only, so that not even a
container that can look into the node's processes reaches the machine's files through them.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy.lab.cgroups import Hierarchy, Tree, delegate, mounted
from deploy.lab.node import network
from deploy.lab.places import Places
from deploy.lab.plan import Node, node_named

PODS = Path("/var/lib/kubelet")
IMAGES = Path("/var/lib/images")
SYSTEM = "system"
_PROJECT = Path(__file__).parents[3]
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_PROGRAMS = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32")


def main() -> None:
    """Waits until the node's cable is plugged in, then becomes the node."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", required=True)
    parser.add_argument("--dir", required=True, type=Path)
    options = parser.parse_args()
    node, places = node_named(options.node), Places.of(options.dir)
    print("the namespaces are there", flush=True)
    if not sys.stdin.readline():
        raise SystemExit("nobody plugged the node in")
    hierarchies = mounted()
    _become(node, places, hierarchies)
    _leave_root_group(hierarchies)
    network.configure(node)
    kubelet = [sys.executable, "-m", "deploy.lab.kubelet", "--node", node.name]
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.execvp("tini", ["tini", "--", *kubelet, "--socket", str(places.socket(node.name))])  # noqa: S606 - no shell wanted


def _become(node: Node, places: Places, hierarchies: Iterable[Hierarchy]) -> None:
    """Gives the node its own root, with its own /proc, /sys and /dev, and its name."""
    root = places.nodes / node.name / "root"
    disk = places.nodes / node.name / "disk"
    for folder in (root, disk):
        folder.mkdir()
    _mount("-t", "tmpfs", "-o", "mode=755,size=256m", "node", root)
    _bind_programs(root)
    for source, place in ((places.run, places.run), (disk, PODS), (places.images, IMAGES)):
        _bind(source, root / str(place).lstrip("/"), read_only=source == places.images)
    _devices(root)
    (root / "proc").mkdir()
    _mount("-t", "proc", "proc", root / "proc")
    (root / "sys").mkdir()
    _mount("-t", "sysfs", "sysfs", root / "sys")
    _cgroups(root, hierarchies)
    for name in ("tmp", "run/crun", "machine"):
        (root / name).mkdir(parents=True, exist_ok=True)
    subprocess.run(["pivot_root", str(root), str(root / "machine")], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/machine"], check=True)
    Path("/machine").rmdir()
    subprocess.run(["hostname", node.name], check=True)
    os.chdir(_PROJECT)


def _bind_programs(root: Path) -> None:
    for name in _PROGRAMS:
        source = Path("/") / name
        if source.is_symlink():
            (root / name).symlink_to(source.readlink())
        elif source.is_dir():
            _bind(source, root / name, read_only=True)
    for source in (Path(sys.base_prefix), Path(sys.prefix), _PROJECT / "deploy"):
        if not source.is_relative_to("/usr"):
            _bind(source, root / str(source).lstrip("/"), read_only=True)


def _devices(root: Path) -> None:
    dev = root / "dev"
    for folder in ("pts", "shm", "mqueue"):
        (dev / folder).mkdir(parents=True)
    for name in _DEVICES:
        (dev / name).touch()
        _mount("--bind", Path("/dev") / name, dev / name)
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=666,mode=620", "devpts", dev / "pts")
    _mount("-t", "tmpfs", "shm", dev / "shm")
    _mount("-t", "mqueue", "mqueue", dev / "mqueue")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0")):
        (dev / name).symlink_to(target)


def _cgroups(root: Path, hierarchies: Iterable[Hierarchy]) -> None:
    """The machine's hierarchies as the node sees them: in its cgroup namespace they begin at its cgroup."""
    several = not all(hierarchy.unified for hierarchy in hierarchies)
    if several:
        _mount("-t", "tmpfs", "-o", "mode=755", "cgroup", root / "sys/fs/cgroup")
    for hierarchy in hierarchies:
        target = root / str(hierarchy.root).lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        if hierarchy.unified:
            _mount("-t", "cgroup2", "cgroup2", target)
        else:
            _mount("-t", "cgroup", "-o", hierarchy.options, "cgroup", target)


def _leave_root_group(hierarchies: Iterable[Hierarchy]) -> None:
    """Moves this process one group down, so that the node's own group can be limited and divided."""
    tree = Tree(SYSTEM, hierarchies)
    tree.make()
    tree.move(os.getpid(), "")
    for hierarchy in hierarchies:
        if hierarchy.unified:
            delegate(hierarchy.root)


def _bind(source: Path, target: Path, *, read_only: bool) -> None:
    target.mkdir(parents=True, exist_ok=True)
    _mount("--bind", source, target)
    if read_only:
        _mount("-o", "remount,bind,ro", target)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


if __name__ == "__main__":
    main()
