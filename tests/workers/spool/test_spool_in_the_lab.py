"""The whole way to a spool in the lab, over TLS connections that are cut again and again."""

import contextlib
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.lab.handle import LabHandle
from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner
from workers.cluster.cluster import connect
from workers.spool.spool import Spool, SpoolLimits
from workers.tap.gather import gather
from workers.tap.tap import Tap, decide

SECONDS = 4


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


@pytest.fixture
def relay(lab: LabHandle) -> Iterator[Relay]:
    server = yaml.safe_load(lab.places.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    match = re.search(r":(\d+)$", server)
    assert match is not None
    relay = Relay(int(match[1]))
    yield relay
    relay.close()


@pytest.fixture
def agent(lab: LabHandle, relay: Relay, tmp_path: Path) -> Iterator[AgentPod]:
    """An agent pod on the first node, reached through the relay."""
    kubeconfig = yaml.safe_load(lab.places.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    with connect(tmp_path / "kubeconfig") as cluster:
        try:
            yield create(
                cluster,
                owner=Owner("spool", "tests"),
                node="k8s-node01",
                namespace="podcap",
                image="podcap-agent:lab",
                limits=AgentLimits(seconds=SECONDS, spool_bytes=20 << 20),
            )
        finally:
            delete(cluster, "podcap", "spool")


@pytest.fixture
def tap(agent: AgentPod) -> Tap:
    """Of the replica on the first node."""
    pods = agent.cluster.pods_with_label("traefik", "task=cheddar")
    pod = next(pod for pod in pods if pod.node == "k8s-node01")
    return decide(gather(agent, pod), pod)


def test_a_capture_whose_connections_are_cut_every_half_second_is_the_spool_byte_for_byte(
    lab: LabHandle, relay: Relay, agent: AgentPod, tap: Tap, tmp_path: Path
) -> None:
    spool, here = Spool(agent), tmp_path / "here.pcap"
    spool.start(tap, "port 80", SpoolLimits(seconds=SECONDS, packets=100_000, bytes=10 << 20))
    over = threading.Event()

    def cut() -> None:
        while not over.wait(0.5):
            relay.cut()

    cutter = threading.Thread(target=cut)
    with subprocess.Popen(lab.command("traffic", str(SECONDS - 1)), stdout=subprocess.DEVNULL):
        cutter.start()
        spool.follow(here)
        over.set()
        cutter.join()
    report = spool.finish(here)
    assert relay.cuts >= SECONDS
    assert report.bytes == here.stat().st_size > 1000
    assert (report.packets_dropped_by_kernel, report.ended_by) == (0, "duration")
