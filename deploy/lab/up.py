"""Starts the lab, or says that it runs."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from deploy.lab import cluster, switch
from deploy.lab.cgroups import Tree
from deploy.lab.down import clear
from deploy.lab.images.build import build_all
from deploy.lab.node.start import start as start_node
from deploy.lab.places import Places
from deploy.lab.plan import CLIENT_ADDRESS, NODE_PORT, NODES
from deploy.lab.service import SERVICES
from deploy.lab.status import running
from deploy.lab.workloads import seed

_PROGRAMS = (
    "crun",
    "tini",
    "nft",
    "ip",
    "bridge",
    "unshare",
    "nsenter",
    "setpriv",
    "pivot_root",
    "mount",
    "dnsmasq",
    "tcpdump",
)
_READY_SECONDS = 180.0


class LabFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """The lab cannot be what it was asked to be; the text is one sentence for a person."""


def up(places: Places) -> None:
    """Starts everything and waits until the pods are Ready; what a crashed lab left is cleared away first.

    Raises:
        LabFailed: It cannot start; nothing is left then.
    """
    check_machine()
    with places.alone():
        tree = Tree(places.cgroup)
        if running(places):
            print(f"The lab is already up. Use it with: export KUBECONFIG={places.kubeconfig}")
            return
        began = time.monotonic()
        clear(places)
        try:
            _start(places, tree)
            _wait(places)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            clear(places, keep_logs=True)
            raise LabFailed(f"The lab could not start: {error}") from error
        _tell(places, time.monotonic() - began)


def check_machine() -> None:
    """Checks that the lab can run here.

    Raises:
        LabFailed: It cannot.
    """
    if os.geteuid() != 0:
        raise LabFailed("The lab needs root: it makes network namespaces and mounts. Run this with sudo.")
    missing = [name for name in _PROGRAMS if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    if missing:
        raise LabFailed(f"The lab needs programs that are not installed: {', '.join(missing)}.")


def _start(places: Places, tree: Tree) -> None:
    for folder in (places.nodes, places.logs):
        folder.mkdir(parents=True, exist_ok=True)
    places.run.mkdir(mode=0o700)
    seed.write(places.seed)
    tree.make()
    _let_rules_see_bridges()
    services = [(service, service.start(places, tree)) for service in SERVICES if service.exists()]
    build_all(places.images)
    for group in (switch.SWITCH, switch.CLIENT):
        tree.make(group)
    switch.start(tree, places.logs)
    for node in NODES:
        start_node(node, places, tree)
    for service, process in services:
        service.wait(places, process)


def _let_rules_see_bridges() -> None:
    """Loads br_netfilter where it is a module; for the machine's own bridges it is switched off at once."""
    switches = Path("/proc/sys/net/bridge")
    if not switches.exists():
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["modprobe", "br_netfilter"], check=False, capture_output=True)
        if not switches.exists():
            raise LabFailed("The lab needs the kernel module br_netfilter, and modprobe could not load it.")
        for name in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"):
            (switches / name).write_text("0")


def _wait(places: Places) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    sockets = {places.socket(node.name) for node in NODES}
    while not all(path.exists() for path in sockets):
        _check(deadline, "the kubelets do not answer")
    while SERVICES[0].exists() and (missing := cluster.unready(cluster.pods(places))):
        _check(deadline, f"not ready: {', '.join(missing)}")


def _check(deadline: float, complaint: str) -> None:
    if time.monotonic() > deadline:
        raise LabFailed(complaint)
    time.sleep(0.3)


def _tell(places: Places, seconds: float) -> None:
    names = ", ".join(node.name for node in NODES)
    print(f"The lab is up ({seconds:.1f} s): {names}; a client at {CLIENT_ADDRESS}; NodePort {NODE_PORT}.")
    print(f"  export KUBECONFIG={places.kubeconfig}")
    print("  kubectl get pods -A -o wide")
    if places.slack.exists():
        print(f"  The Slack stand-in's addresses and secrets: {places.slack}")
    print("  python -m deploy.lab traffic 30    some requests of every kind")
    print("  python -m deploy.lab down          ends it all")
