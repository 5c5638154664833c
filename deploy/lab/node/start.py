"""Starts a node from the machine, and finds it again."""

import subprocess
import sys
from pathlib import Path

from deploy.lab.cgroups import Tree
from deploy.lab.namespaces import wait_for_line
from deploy.lab.places import Places
from deploy.lab.plan import Node
from deploy.lab.switch import SWITCH, holder, plug

_NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--ipc", "--cgroup")
_PROJECT = Path(__file__).parents[3]


def start(node: Node, places: Places, tree: Tree) -> None:
    """Starts a node; its kubelet answers on its socket some moments later.

    The namespaces are made by unshare(1) from inside the node's cgroup, which so becomes the root of the
    node's cgroup namespace. unshare itself stays behind as the parent of the node's first process and is
    moved out of that cgroup: a v2 cgroup with limits below it may hold no process.

    Raises:
        RuntimeError: It could not be started; the node's log says why.
    """
    (places.nodes / node.name).mkdir(parents=True)
    tree.make(node.name)
    boot = [sys.executable, "-m", "deploy.lab.node.boot", "--node", node.name, "--dir", str(places.state)]
    with (places.logs / f"{node.name}.log").open("ab") as log:
        process = subprocess.Popen(
            tree.inside(node.name, ["unshare", "--fork", "--kill-child", *_NAMESPACES, "--", *boot]),
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_line(process)
    except RuntimeError:
        raise RuntimeError(f"{node.name} did not start; see {places.logs / node.name}.log") from None
    tree.move(process.pid, SWITCH)
    plug(holder(tree, SWITCH), process.pid, node.name)
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    process.stdin.write(b"plugged in\n")
    process.stdin.close()


def first_process(tree: Tree, node: Node) -> int:
    """The node's process 1, by the id it has on this machine.

    Raises:
        LookupError: The node does not run.
    """
    for process in sorted(tree.processes(node.name)):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        ids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
        if len(ids) == _LEVELS and ids[-1] == "1":
            return process
    raise LookupError(f"{node.name} does not run; start the lab with `python -m deploy.lab up`")


_LEVELS = len(Path("/proc/self/status").read_text().partition("NSpid:")[2].split("\n")[0].split()) + 1
"""A node's processes have one more id than this process: the one inside the node."""
