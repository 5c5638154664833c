"""What of the lab runs."""

from collections.abc import Iterator

from deploy.lab import cluster, switch
from deploy.lab.cgroups import Tree
from deploy.lab.places import Places
from deploy.lab.plan import NODES
from deploy.lab.service import SERVICES


def parts(places: Places) -> Iterator[tuple[str, bool]]:
    """Each part of the lab and whether it runs."""
    tree = Tree(places.cgroup)
    for group in (switch.SWITCH, switch.CLIENT, *(node.name for node in NODES)):
        yield group, bool(tree.processes(group))
    for service in SERVICES:
        if service.exists():
            yield service.name, bool(tree.processes(service.name))


def running(places: Places) -> bool:
    """Whether every part of the lab runs."""
    return all(runs for _, runs in parts(places))


def report(places: Places) -> str:
    """What a person wants to know, several lines."""
    states = list(parts(places))
    if not any(runs for _, runs in states):
        return "The lab is down."
    lines = [f"{name:<14}{'runs' if runs else 'does not run'}" for name, runs in states]
    if SERVICES[0].exists():
        wide = cluster.kubectl(places, "get", "pods", "--all-namespaces", "--output", "wide")
        lines += ["", (wide.stdout or wide.stderr).rstrip()]
    return "\n".join(lines)
