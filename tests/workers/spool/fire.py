"""A capture in the lab whose connections are cut again and again, over TLS, while numbered packets pass."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.lab.handle import LabHandle
from tests.workers.spool.local import numbers
from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner
from workers.cluster.cluster import connect
from workers.spool.report import SpoolReport
from workers.spool.spool import Spool, SpoolLimits
from workers.tap.gather import gather
from workers.tap.tap import decide

NODE = "k8s-node01"

# Sends numbered packets in bursts of a millisecond or more; prints how many.
_SENDER = """
import socket, sys, time
address, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent, began = 0, time.monotonic()
while sent < rate * seconds:
    while sent < min(rate * seconds, rate * (time.monotonic() - began)):
        sender.sendto(sent.to_bytes(8, "big").ljust(64, b"."), (address, 9999))
        sent += 1
    time.sleep(0.001)
print(sent)
"""


class Relay:
    """A relay on loopback before the API server; `cut` breaks every connection that stands."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target = port
        self._standing: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        standing, self._standing = self._standing, []
        for one in standing:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.cuts += bool(standing)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._standing += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()


@dataclass(frozen=True)
class Outcome:
    """What came of a capture under fire.

    Attributes:
        sent: Packets sent, numbered from 0.
        numbers: The numbers of those that arrived, in the file's order.
        length: The local file's.
    """

    sent: int
    cuts: int
    numbers: list[int]
    length: int
    report: SpoolReport


def capture_under_fire(lab: LabHandle, folder: Path, *, rate: int, seconds: int) -> Outcome:
    """Captures `rate` packets a second for so many seconds, and cuts every connection each half second."""
    with relayed(lab) as relay, _agent(lab, relay, folder, seconds) as agent:
        pods = agent.cluster.pods_with_label("traefik", "task=cheddar")
        pod = next(pod for pod in pods if pod.node == NODE)
        tap = decide(gather(agent, pod), pod)
        spool, here = Spool(agent), folder / "here.pcap"
        # Beyond the time that sending takes on a busy machine; the end of sending stops it.
        spool.start(
            tap, "udp port 9999", SpoolLimits(seconds=10 * seconds, packets=10_000_000, bytes=1 << 30)
        )
        sender = subprocess.Popen(
            lab.command("node", NODE, sys.executable, "-c", _SENDER, pod.ips[0], str(rate), str(seconds)),
            stdout=subprocess.PIPE,
            text=True,
        )
        over = threading.Event()

        def cut() -> None:
            while not over.wait(0.5):
                relay.cut()

        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            spool.follow(here, should_stop=lambda: sender.poll() is not None)
        finally:
            over.set()
            cutter.join()
        report = spool.finish(here)
        sent = int(sender.communicate()[0])
    return Outcome(sent, relay.cuts, numbers(here), here.stat().st_size, report)


@contextlib.contextmanager
def relayed(lab: LabHandle) -> Iterator[Relay]:
    """A relay before the lab's API server."""
    server = yaml.safe_load(lab.places.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    match = re.search(r":(\d+)$", server)
    assert match is not None
    relay = Relay(int(match[1]))
    try:
        yield relay
    finally:
        relay.close()


@contextlib.contextmanager
def _agent(lab: LabHandle, relay: Relay, folder: Path, seconds: int) -> Iterator[AgentPod]:
    kubeconfig = yaml.safe_load(lab.places.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    with connect(folder / "kubeconfig") as cluster:
        try:
            yield create(
                cluster,
                owner=Owner("cap-fire", "tests"),
                node=NODE,
                namespace="podcap",
                image="podcap-agent:lab",
                limits=AgentLimits(seconds=10 * seconds, spool_bytes=100 << 20),
            )
        finally:
            delete(cluster, "podcap", "cap-fire")
