"""A pod's cgroup as its kubelet sees it: who is in it, and whether the kernel killed someone for memory."""

from deploy.lab.cgroups import Tree, mounted


class PodCgroup:
    """One pod's cgroup, with its containers' below.

    Args:
        path: Below the node's root, as `qos.pod_cgroup` says.
    """

    def __init__(self, path: str) -> None:
        self._tree = Tree(path.lstrip("/"), mounted())

    def kill(self, container: str = "") -> None:
        """Kills every process of the pod or of one container, also those its first process left behind."""
        self._tree.kill(container)

    def remove(self) -> None:
        """Removes the empty cgroup."""
        self._tree.remove()

    def out_of_memory(self, container: str) -> bool:
        """Whether the kernel killed a process of the container because its memory limit was reached."""
        for hierarchy in self._tree.hierarchies:
            for name in ("memory.oom_control", "memory.events"):
                path = hierarchy.root / self._tree.name / container / name
                if path.exists() and _count(path.read_text()):
                    return True
        return False


def memory_can_be_limited() -> bool:
    """Whether this node's kernel and cgroups let the kubelet limit memory."""
    for hierarchy in mounted():
        controllers = hierarchy.root / "cgroup.controllers"
        named = controllers.read_text().split() if controllers.exists() else hierarchy.options.split(",")
        if "memory" in named:
            return True
    return False


def cgroups_are_unified() -> bool:
    """Whether the node runs on cgroup v2 alone."""
    return all(hierarchy.unified for hierarchy in mounted())


def _count(events: str) -> int:
    pairs = dict(line.split() for line in events.splitlines())
    return int(pairs.get("oom_kill", 0))
