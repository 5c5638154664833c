"""A node and its pods in network namespaces of our own, each pod with a process in a cgroup of its UID."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.hangs import HANGS
from workers.cluster.pod import Pod


def sh(*argv: str, namespace: int | None = None) -> str:
    enter = ["nsenter", "-t", str(namespace), "-n"] if namespace else []
    return subprocess.run([*enter, *argv], check=True, capture_output=True, text=True, timeout=HANGS).stdout


class Node:
    """A node in a network namespace: pods on its bridge, behind routes of their own, on a macvlan."""

    def __init__(self, stack: ExitStack, cgroups: Path) -> None:
        self._stack = stack
        self._cgroups = cgroups
        self.pids: dict[str, int] = {}
        self.pid = self._namespace()
        self.ip("link", "add", "cni0", "type", "bridge")
        self.ip("addr", "add", "10.99.0.1/24", "dev", "cni0")
        self.ip("link", "set", "cni0", "up")

    def ip(self, *arguments: str, inside: int | None = None) -> None:
        sh("ip", *arguments, namespace=inside or self.pid)

    def bridged(self, number: int, ifindex: int) -> Pod:
        """A pod whose eth0 has the index 2, as every pod's, and is paired with a link of this index."""
        pod, pid = self._pod(f"10.99.0.{number}")
        self.ip("link", "add", f"veth{number:08x}", "index", str(ifindex), "type", "veth",
                "peer", "name", "eth0", "index", "2", "netns", str(pid))  # fmt: skip
        self.ip("link", "set", f"veth{number:08x}", "master", "cni0", "up")
        self._address(pid, f"{pod.ips[0]}/24")
        # One packet each way: neighbour and forwarding tables know the pod then, as a probe would have it.
        sh("ping", "-c", "1", "-W", "5", pod.ips[0], namespace=self.pid)
        return pod

    def routed(self, number: int, ifindex: int, *families: int) -> Pod:
        """A pod that the node sends packets to by a route for each of its addresses; families 4 and 6."""
        both = {4: f"10.99.1.{number}", 6: f"fd00:99::{number:x}"}
        addresses = [both[family] for family in families or (4,)]
        pod, pid = self._pod(*addresses)
        self.ip("link", "add", f"cali{number}", "index", str(ifindex), "type", "veth",
                "peer", "name", "eth0", "index", "2", "netns", str(pid))  # fmt: skip
        self.ip("link", "set", f"cali{number}", "up")
        for address in addresses:
            self._address(pid, f"{address}/{128 if ':' in address else 32}")
            self.ip("route", "add", address, "dev", f"cali{number}")
        return pod

    def second(self, pod: Pod, ifindex: int) -> None:
        """Gives a pod a net1 besides, as Multus would, paired with a link of this index."""
        pid = self.pids[pod.uid]
        self.ip("link", "add", f"net{ifindex}", "index", str(ifindex), "type", "veth",
                "peer", "name", "net1", "index", "3", "netns", str(pid))  # fmt: skip
        self.ip("link", "set", f"net{ifindex}", "up")
        self.ip("addr", "add", f"192.168.7.{ifindex % 250}/24", "dev", "net1", inside=pid)
        self.ip("link", "set", "net1", "up", inside=pid)

    def take_address(self, pod: Pod) -> None:
        """Takes the address off a pod's interface, as gVisor does to answer for it itself."""
        self.ip("addr", "flush", "dev", "eth0", "scope", "global", inside=self.pids[pod.uid])

    def macvlan(self, number: int) -> Pod:
        """A pod whose eth0 is built on the node's uplink, index 300."""
        pod, pid = self._pod(f"10.99.2.{number}")
        self.ip("link", "add", "uplink", "index", "300", "type", "veth", "peer", "name", "far")
        self.ip("link", "set", "uplink", "up")
        self.ip("link", "set", "far", "up")
        self.ip("link", "add", "child", "link", "uplink", "type", "macvlan", "mode", "bridge")
        self.ip("link", "set", "child", "netns", str(pid), "name", "eth0")
        self._address(pid, f"{pod.ips[0]}/24")
        return pod

    def _address(self, pid: int, address: str) -> None:
        # Without duplicate address detection an IPv6 address is there at once.
        self.ip("addr", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []), inside=pid)
        self.ip("link", "set", "eth0", "up", inside=pid)

    def _pod(self, *addresses: str) -> tuple[Pod, int]:
        uid = f"0f3c{len(self.pids):04x}-0000-4000-8000-{os.getpid():012x}"
        cgroup = self._cgroups / f"kubepods-pod{uid.replace('-', '_')}.slice"
        cgroup.mkdir()
        self._stack.callback(cgroup.rmdir)
        pid = self._namespace(cgroup)
        self.pids[uid] = pid
        return Pod("shop", f"web-{len(self.pids)}", uid, "Running", node="n1", ips=addresses), pid

    def _namespace(self, cgroup: Path | None = None) -> int:
        process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.stdout.close()
        if cgroup is not None:
            (cgroup / "cgroup.procs").write_text(str(process.pid))
        return process.pid


def cgroup_root() -> Path:
    """A hierarchy in which a group can be made: version 2's, or a named one of version 1."""
    candidates = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
    return next(Path(path) for path in candidates if Path(path, "cgroup.procs").exists())


@contextmanager
def made_node() -> Iterator[Node]:
    """A node without pods; gone with all of them at the end."""
    with ExitStack() as stack:
        cgroups = cgroup_root() / f"podcap-test-{os.getpid()}"
        cgroups.mkdir()
        stack.callback(cgroups.rmdir)
        yield Node(stack, cgroups)
