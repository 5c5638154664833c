"""The LAN: a switch in a namespace of its own, a client, and the cables between them and the nodes."""

import subprocess
from pathlib import Path

from deploy.lab.cgroups import Tree
from deploy.lab.namespaces import configure, hold_network, in_network
from deploy.lab.plan import CLIENT_ADDRESS

SWITCH = "switch"
CLIENT = "client"
_UNSHARE = ["unshare", "--net", "--uts", "--"]


def start(tree: Tree, logs: Path) -> None:
    """Starts the switch and the client; nothing connects them to the machine's own network.

    Raises:
        RuntimeError: The kernel or a tool refused.
    """
    switch = hold_network(tree.inside(SWITCH, _UNSHARE), logs / f"{SWITCH}.log").pid
    configure(switch, "link set lo up", "link add br0 type bridge", "link set br0 up")
    client = hold_network(tree.inside(CLIENT, _UNSHARE), logs / f"{CLIENT}.log").pid
    subprocess.run(in_network(client, ["hostname", CLIENT]), check=True)
    plug(switch, client, CLIENT)
    configure(client, "link set lo up", f"addr add {CLIENT_ADDRESS}/24 dev eth0", "link set eth0 up")


def plug(switch: int, process: int, name: str) -> None:
    """Connects a process's network namespace to the switch: its eth0, the switch's port `name`.

    Both ends are made where they belong, so that the machine's own namespace never sees them.
    """
    configure(
        switch,
        f"link add {name} type veth peer name eth0 netns {process}",
        f"link set {name} master br0",
        f"link set {name} up",
    )


def holder(tree: Tree, group: str) -> int:
    """The process that holds the switch's or the client's network namespace.

    Raises:
        LookupError: It does not run.
    """
    for process in sorted(tree.processes(group)):
        if Path(f"/proc/{process}/comm").read_text() == "sleep\n":
            return process
    raise LookupError(f"the lab's {group} does not run; start the lab with `python -m deploy.lab up`")
