"""What breaks while packets are captured: each capture ends, with what had arrived, and says what happened.

The worker's own code runs here against the lab's cluster and Slack: so a fault meets it at a chosen moment.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.cgroups import Tree
from deploy.lab.handle import LabHandle
from tests.hangs import HANGS
from tests.orders import order_in_the_lab
from workers.admission import accept
from workers.agent import pod_spec
from workers.capture import run
from workers.extension import extend
from workers.housekeeping import keep_house
from workers.ledger.capture import Capture
from workers.ledger.states import FINAL, State
from workers.pulse import Pulse
from workers.services import Services, open_ledger, open_policy
from workers.settings import Settings
from workers.slack.place import SlackPlace
from workers.store import Store

NODE = "k8s-node03"


class Fault:
    """A capture that runs, and the hands that break something under it."""

    def __init__(self, world: Any, services: Services, pod: str, address: str) -> None:
        self.world = world
        self.lab: LabHandle = world.lab
        self.services = services
        self.pod = pod
        self.address = address
        self.id = ""
        self._worker = threading.Thread(target=self._work)

    def begin(self, seconds: int = 60) -> None:
        """Asks for a capture, makes it in a thread, and returns once packets have arrived here."""
        state = self.world.control("state")
        order = order_in_the_lab(state, pod=self.pod, seconds=seconds, filter="icmp", full=True)
        capture, _ = self.services.ledger.request(order)
        self.id = self.world.capture = capture.id
        assert accept(self.services, capture) is not None, self.services.ledger.get(capture.id).sentence
        self._worker.start()
        while not re.search(r"[1-9]\d* packets? ·", self.world.thread()):
            assert self._worker.is_alive(), self.world.thread()
            time.sleep(0.2)

    def end(self) -> Capture:
        """Waits for the capture's end."""
        self._worker.join(HANGS)
        assert not self._worker.is_alive(), self.world.thread()
        return self.services.ledger.get(self.id)

    def agent(self, *argv: str) -> str:
        """What a command in the agent pod prints."""
        return self.lab.kubectl("exec", "-n", "podcap", f"podcap-{self.id}", "--", *argv)

    def numbers(self) -> list[int]:
        """The sequence numbers of the pings towards the pod, in the delivered file, which must be whole."""
        fields = ("-T", "fields", "-e", "icmp.seq")
        answer = subprocess.run(
            ["tshark", "-n", "-r", str(self.world.file()), "-Y", f"ip.dst == {self.address}", *fields],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "cut short" not in answer.stderr
        return [int(word.split(",")[0]) for word in answer.stdout.split()]

    def _work(self) -> None:
        run(self.services, self.id)


def is_gapless(numbers: list[int]) -> bool:
    """Whether no ping between the first and the last is missing."""
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def ended_partly(fault: Fault, ended: Capture, sentence: str) -> None:
    """The file has every ping until the fault, and the message says what happened."""
    assert (ended.state, ended.shown) == (State.FAILED, State.FAILED), ended
    assert ended.sentence == f"{sentence} The file holds the packets from before that."
    assert ended.sentence in fault.world.thread()
    assert is_gapless(fault.numbers())
    assert fault.world.leftovers() == []


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Podcap waits for a minute before it gives a node up; here for five seconds."""
    monkeypatch.setattr("workers.spool.patience._PATIENCE_SECONDS", 5.0)
    monkeypatch.setattr("workers.spool.follower._SILENCE_SECONDS", 3.0)
    monkeypatch.setattr("workers.cluster.handshake._HANDSHAKE_SECONDS", 3.0)
    monkeypatch.setattr("workers.agent.agent._GONE_SECONDS", 5.0)


@pytest.fixture(scope="module")
def pinged(lab: LabHandle) -> Iterator[Callable[[], contextlib.AbstractContextManager[tuple[str, str]]]]:
    """Makes a pod that is pinged fifty times a second; its name and address."""
    made = 0

    @contextlib.contextmanager
    def make() -> Iterator[tuple[str, str]]:
        nonlocal made
        made += 1
        with lab.pod(f"doomed{made}", {}, namespace="traefik", nodeName=NODE) as pod:
            address = pod["status"]["podIP"]
            ping = lab.command("node", NODE, "ping", "-q", "-i", "0.02", "-s", "1000", address)
            with subprocess.Popen(ping, stdout=subprocess.DEVNULL) as process:
                try:
                    yield pod["metadata"]["name"], address
                finally:
                    process.send_signal(signal.SIGINT)

    return make


@pytest.fixture
def fault(still_world: Any, pinged: Any) -> Iterator[Fault]:
    settings = Settings(_env_file=None, **still_world.environment)
    ledger = open_ledger(settings)
    place = SlackPlace(settings, ledger)
    services = Services(settings, ledger, open_policy(settings), Store(settings.store_url), place)
    with contextlib.closing(services), pinged() as (pod, address):
        yield Fault(still_world, services, pod, address)


@pytest.fixture
def still_world(lab: LabHandle, tmp_path: Path, world_of: Callable[..., Any]) -> Any:
    """podcap's settings without its processes."""
    return world_of(lab, tmp_path)


def test_the_agent_pod_is_deleted(fault: Fault) -> None:
    fault.begin()
    fault.lab.delete_pod(f"podcap-{fault.id}", "podcap")
    sentence = f"The agent pod on node {NODE} was deleted while it captured."
    ended_partly(fault, fault.end(), sentence)


def test_the_captured_pod_is_deleted(fault: Fault) -> None:
    fault.begin()
    fault.lab.kubectl("delete", "pod", fault.pod, "-n", "traefik", "--wait=false")
    ended_partly(fault, fault.end(), f"Pod {fault.pod} was deleted while it was captured.")
    assert fault.world.agent_pods() == ""


@pytest.mark.soak
def test_the_node_stops_reporting(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    # The cluster needs some seconds itself to notice; podcap's minute is longer than a real one's grace.
    monkeypatch.setattr("workers.spool.patience._PATIENCE_SECONDS", 20.0)
    kubelet = kubelet_of(fault.lab, NODE)
    fault.begin()
    os.kill(kubelet, signal.SIGSTOP)
    try:
        ended = fault.end()
    finally:
        os.kill(kubelet, signal.SIGCONT)
        wait_until_ready(fault.lab, NODE)
    assert ended.sentence is not None
    assert re.match(rf"Node {NODE} stopped reporting while it captured \(\w+\)\. ", ended.sentence)
    ended_partly(fault, ended, ended.sentence.removesuffix(" The file holds the packets from before that."))


@pytest.mark.soak
def test_the_api_server_is_restarted(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.spool.patience._PATIENCE_SECONDS", 60.0)
    fault.begin(seconds=15)
    fault.lab.restart("apiserver")
    ended = fault.end()
    assert (ended.state, ended.ended_by) == (State.DELIVERED, "duration")
    assert ended.spool_sha256 is not None  # held against the node's
    assert is_gapless(fault.numbers())
    assert fault.world.agent_pods() == ""


def test_the_disk_under_the_spool_is_full(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pod_spec.pod_spec

    def with_a_small_disk(**settings: Any) -> dict[str, Any]:
        spec = real(**settings)
        spec["spec"]["volumes"][0]["emptyDir"] = {"medium": "Memory", "sizeLimit": "1Mi"}
        return spec

    monkeypatch.setattr("workers.agent.agent.pod_spec", with_a_small_disk)
    fault.begin()
    ended = fault.end()
    ended_partly(fault, ended, f"The disk of node {NODE} was full, so that tcpdump could write no more.")
    assert fault.world.agent_pods() == ""


@pytest.mark.soak
def test_the_agent_pod_is_evicted_because_its_volume_outgrew_its_limit(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.taps.limits.SPOOL_BYTES", 1 << 20)
    fault.begin()
    fault.agent("sh", "-c", "head -c 80000000 /dev/zero >/spool/fill")
    ended = fault.end()
    assert ended.sentence is not None
    assert re.match(rf"The agent pod on node {NODE} was ended while it captured \(Evicted: ", ended.sentence)
    assert ended.state is State.FAILED
    assert is_gapless(fault.numbers())


@pytest.mark.soak
@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2)])
def test_the_clock_jumps(fault: Fault, jump: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    class Jumped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + jump

    pulse = Pulse()
    keep_house(fault.services, pulse)
    fault.begin(seconds=10)
    for module in ("ledger.ledger", "taps.way", "housekeeping", "announcement"):
        monkeypatch.setattr(f"workers.{module}.datetime", Jumped)
    while fault.services.ledger.get(fault.id).state not in FINAL:
        keep_house(fault.services, pulse)
        time.sleep(0.5)
    ended = fault.end()
    assert ended.state is State.DELIVERED, ended.sentence
    assert ended.ended_at is not None
    assert abs(ended.ended_at - datetime.now(UTC) - jump) < timedelta(minutes=2)
    assert is_gapless(fault.numbers())
    assert len(fault.numbers()) > 400


def test_a_running_capture_is_extended_by_somebody_whom_the_policy_lets(fault: Fault) -> None:
    people = fault.world.control("state")["users"]
    fault.begin(seconds=20)
    refused = extend(fault.services, fault.id, user_id=people["mallory"])
    assert refused is not None
    assert "policy does not allow you" in refused
    assert extend(fault.services, fault.id, user_id=people["bob"]) is None
    fault.services.ledger.get(fault.id)
    while "of 50s" not in fault.world.thread():
        time.sleep(0.2)
    time.sleep(20)
    assert fault.services.ledger.get(fault.id).state is State.CAPTURING
    fault.services.ledger.request_stop(fault.id, people["bob"])
    assert fault.end().state is State.STOPPED
    assert is_gapless(fault.numbers())


def kubelet_of(lab: LabHandle, node: str) -> int:
    """The process id of a node's kubelet."""
    for process in Tree(lab.places.cgroup).processes(node):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            if b"deploy.lab.kubelet" in words and b"tini" not in words[0]:
                return process
    raise LookupError(node)


def wait_until_ready(lab: LabHandle, node: str) -> None:
    """Until the node reports again."""
    while True:
        conditions = json.loads(lab.kubectl("get", "node", node, "-o", "json"))["status"]["conditions"]
        if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
            return
        time.sleep(0.5)
