"""A node in a network namespace, with a thousand pods on a bridge, each with a namespace and a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.cluster.pod import Pod

COUNT = 1_000
_ADDRESS = "10.99.5.5"
_FIRST_INDEX = 10
_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")

_FORK = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
def fork(join=None):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        if libc.unshare(0x40000000):
            os._exit(1)
        if join:
            open(join, "w").write(str(os.getpid()))
        libc.prctl(1, signal.SIGKILL)
        os.write(writing, b"up")
        os.close(reading)
        signal.pause()
    assert os.read(reading, 2) == b"up"
    os.close(reading), os.close(writing)
    return pid
count = int(sys.argv[1])
print(fork(), *(fork(sys.argv[2] if at == count // 2 else None) for at in range(count)), flush=True)
sys.stdin.read()
"""


@contextmanager
def node() -> Iterator[tuple[int, Pod, int]]:
    """The PID of the node, one pod in the middle of the thousand, and the ifindex of its link on the node."""
    if os.geteuid() != 0:
        raise SystemExit("The tap is measured among network namespaces, which need root: use sudo.")
    uid = f"0f3c0001-0000-4000-8000-{os.getpid():012x}"
    cgroup = next(Path(root) for root in _ROOTS if Path(root, "cgroup.procs").exists()) / f"kubepods-pod{uid}"
    cgroup.mkdir()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", _FORK, str(COUNT), str(cgroup / "cgroup.procs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as parent:
            try:
                assert parent.stdout is not None
                host, *pids = map(int, parent.stdout.readline().split())
                _connect(host, pids)
                pod = Pod("shop", "web-1", uid, "Running", node="n1", ips=(_ADDRESS,))
                yield host, pod, _FIRST_INDEX + COUNT // 2
            finally:
                parent.send_signal(signal.SIGKILL)  # its children end with it
    finally:
        _remove(cgroup)


def _connect(host: int, pids: list[int]) -> None:
    lines = ["link add cni0 type bridge", "addr add 10.99.0.1/16 dev cni0", "link set cni0 up"]
    for index, pid in enumerate(pids, start=_FIRST_INDEX):
        name = f"veth{index:08x}"
        lines.append(f"link add {name} index {index} type veth peer name eth0 index 2 netns {pid}")
        lines.append(f"link set {name} master cni0 up")
    _in(host, "ip", "-batch", "-", text="\n".join(lines))
    pod = pids[COUNT // 2]
    _in(pod, "ip", "addr", "add", f"{_ADDRESS}/16", "dev", "eth0")
    _in(pod, "ip", "link", "set", "eth0", "up")
    # One packet each way, as a probe would have it: neighbour and forwarding tables know the pod then.
    _in(host, "ping", "-c", "1", "-W", "10", _ADDRESS)


def _in(pid: int, *argv: str, text: str = "") -> None:
    command = ["nsenter", "-t", str(pid), "-n", *argv]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True)


def _remove(cgroup: Path) -> None:
    """Its processes were killed; the kernel may still be at taking their thousand namespaces down."""
    for _ in range(600):
        try:
            return cgroup.rmdir()
        except OSError:
            signal.sigtimedwait([], 0.1)
    return cgroup.rmdir()
