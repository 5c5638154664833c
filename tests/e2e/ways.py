"""Two pods on two nodes, in network namespaces of their own, captured at both ends and both uplinks."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.lab.namespaces import configure, hold_network, in_network, inside_network
from tests.hangs import HANGS
from workers.names.snapshot import Snapshot
from workers.pcapng.about import About
from workers.pcapng.file import merged_file
from workers.vantage.compared import compared
from workers.vantage.comparison import Comparison
from workers.vantage.vantage import Kind, Vantage

WEB, PASTA, SERVICE = "10.244.1.2", "10.244.2.2", "10.96.0.5"
ONE, TWO = "192.168.77.1", "192.168.77.2"
PORT = 8080

_TAPS: tuple[tuple[str, Kind, str, str, str], ...] = (
    ("shop/web", "pod", "node1", WEB, "vethweb"),
    ("uplink of node1", "uplink", "node1", ONE, "eth0"),
    ("uplink of node2", "uplink", "node2", TWO, "eth0"),
    ("shop/pasta", "pod", "node2", PASTA, "vethpasta"),
)


class Ways(NamedTuple):
    """Processes that hold the networks: the pods' and the nodes'."""

    web: int
    pasta: int
    node1: int
    node2: int

    def run(self, node: int, *argv: str, said: str | None = None) -> None:
        """Runs a command in one of them."""
        command = in_network(node, argv)
        subprocess.run(command, input=said, text=True, check=True, capture_output=True, timeout=HANGS)

    def rule(self, node: int, rules: str) -> None:
        """Gives a node these nft rules, and no others."""
        self.run(node, "nft", "-f", "-", said=f"flush ruleset\n{rules}\n")


@contextmanager
def ways(folder: Path) -> Iterator[Ways]:
    """The networks, joined: web - node1 - node2 - pasta."""
    with ExitStack() as held:
        made = []
        for _ in range(4):
            process = hold_network(["unshare", "--net", "--uts"], folder / "log")
            held.enter_context(process)
            held.callback(process.kill)
            made.append(process.pid)
        there = Ways(*made)
        configure(
            there.node1,
            f"link add vethweb type veth peer name eth0 netns {there.web}",
            f"link add eth0 type veth peer name eth0 netns {there.node2}",
            "addr add 10.244.1.1/24 dev vethweb",
            f"addr add {ONE}/24 dev eth0",
            "link set vethweb up",
            "link set eth0 up",
        )
        configure(
            there.node2,
            f"link add vethpasta type veth peer name eth0 netns {there.pasta}",
            "addr add 10.244.2.1/24 dev vethpasta",
            f"addr add {TWO}/24 dev eth0",
            "link set vethpasta up",
            "link set eth0 up",
            f"route add 10.244.1.0/24 via {ONE}",
        )
        configure(there.node1, f"route add 10.244.2.0/24 via {TWO}")
        for pod, address, gateway in ((there.web, WEB, "10.244.1.1"), (there.pasta, PASTA, "10.244.2.1")):
            configure(
                pod,
                "link set lo up",
                f"addr add {address}/24 dev eth0",
                "link set eth0 up",
                f"route add default via {gateway}",
            )
        for node in (there.node1, there.node2):
            there.run(node, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        yield there


@contextmanager
def server(there: Ways) -> Iterator[None]:
    """Answers each line with as many bytes as it asks for, in pasta."""

    def listening() -> socket.socket:
        return socket.create_server((PASTA, PORT), backlog=64)

    with inside_network(there.pasta, listening) as listener:
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, ended))
        thread.start()
        yield
        ended.set()
        thread.join()


def _serve(listener: socket.socket, ended: threading.Event) -> None:
    listener.settimeout(0.1)
    while not ended.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(HANGS)
            while line := connection.recv(64):
                connection.sendall(bytes(int(line)))


def ask(there: Ways, address: str, port: int, size: int, times: int = 1) -> None:
    """Asks the server from web, so many times on one connection."""

    def connect() -> socket.socket:
        return socket.create_connection((address, port), timeout=HANGS)

    with inside_network(there.web, connect) as connection:
        for _ in range(times):
            connection.sendall(str(size).encode())
            left = size
            while left:
                left -= len(connection.recv(1 << 16))


def knock(there: Ways, address: str, port: int, seconds: float) -> None:
    """Tries to connect for so long."""

    def connect() -> None:
        with socket.socket() as tried:
            tried.settimeout(seconds)
            tried.connect_ex((address, port))

    inside_network(there.web, connect)


def captured(there: Ways, folder: Path, traffic: Callable[[], None]) -> Comparison:
    """What the four taps say together of the traffic."""
    nodes = {"node1": there.node1, "node2": there.node2}
    paths = [folder / f"{number}.pcap" for number in range(len(_TAPS))]
    with ExitStack() as running:
        taps = [
            running.enter_context(_tcpdump(nodes[node], interface, path))
            for (_, _, node, _, interface), path in zip(_TAPS, paths, strict=True)
        ]
        began = time.time_ns()
        time.sleep(0.1)
        traffic()
        time.sleep(0.1)
        ended = time.time_ns()
        for tap in taps:
            _wait_until_all_is_read(tap)
    vantages = [
        Vantage(number, name, kind, node, (address,), interface, began, ended, 0)
        for number, (name, kind, node, address, interface) in enumerate(_TAPS)
    ]
    target = folder / "merged.pcapng"
    abouts = [
        About("", "", interface=each.interface, description=each.name, began=began) for each in vantages
    ]
    merged_file(paths, target, About("podcap", "podcap"), abouts)
    return compared(target, vantages, Snapshot())


@contextmanager
def _tcpdump(node: int, interface: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    options = ["-n", "-s", "256", "--immediate-mode", "-U", "-Z", "root", "-w", str(path)]
    argv = in_network(node, ["tcpdump", "-i", interface, *options, "tcp"])
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            if process.stderr is None or "listening on" not in process.stderr.readline():
                raise RuntimeError(f"tcpdump did not begin: {process.args!r}")
            yield process
        finally:
            process.send_signal(signal.SIGINT)


def _wait_until_all_is_read(tcpdump: "subprocess.Popen[str]") -> None:
    """It counts what it has written and what the kernel has for it, when it is asked."""
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline and tcpdump.stderr is not None:
        tcpdump.send_signal(signal.SIGUSR1)
        written, received, *_ = map(int, re.findall(r"(\d+) packets?", tcpdump.stderr.readline()))
        if written >= received:
            return
        time.sleep(0.1)
    raise RuntimeError(f"tcpdump did not read all its packets: {tcpdump.args!r}")
