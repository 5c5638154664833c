"""One worker holds fifty captures at once, in little memory, and each is complete."""

import logging
import re
import subprocess
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.e2e.conftest import eventually
from tests.e2e.in_process import worker_services
from tests.orders import order_in_the_lab
from workers.admission import accept
from workers.ledger.states import FINAL, State
from workers.queueing import advance
from workers.services import Services
from workers.settings import Settings

log = logging.getLogger(__name__)

COUNT = 50
SECONDS = 300
TOGETHER = 15
"""Seconds for which all capture; then they are stopped."""
MOST = 330 << 20
SHARE = 4 << 20
"""What each of fifty may take, beside 130 MiB for the worker itself."""
LARGE_PINGS, LARGE_BYTES = 250, 60_000
ONE_LARGE = 16 << 20
"""About half of what so many pings and their answers are."""
NODES = ("k8s-node01", "k8s-node02", "k8s-node03")


@pytest.fixture
def world(lab: LabHandle, tmp_path: Path, world_of: Callable[..., Any]) -> Iterator[Any]:
    """Redis and a worker, without limits below fifty."""
    many = ("USER", "CHANNEL", "NODE", "CLUSTER")
    world = world_of(lab, tmp_path, settings={f"PODCAP_CAPTURES_PER_{one}": str(COUNT) for one in many})
    world.redis.start()
    world.podcap.start("worker")
    yield world
    world.stop()


@pytest.fixture
def services(world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    settings = Settings(_env_file=None, **world.environment)
    monkeypatch.setattr("workers.queue.app.conf.broker_url", settings.broker_url)
    monkeypatch.setattr("workers.queue.app.conf.broker_write_url", settings.broker_url)
    with worker_services(world) as services:
        yield services


@pytest.fixture
def pods(lab: LabHandle) -> Iterator[dict[str, str]]:
    """A pod on each node that is pinged ten times a second: addresses by name."""
    with ExitStack() as stack:
        found = {}
        for number, node in enumerate(NODES):
            pod = stack.enter_context(lab.pod(f"pinged{number}", {}, namespace="traefik", nodeName=node))
            address = found[pod["metadata"]["name"]] = pod["status"]["podIP"]
            ping = lab.command("node", node, "ping", "-q", "-i", "0.1", address)
            process = stack.enter_context(subprocess.Popen(ping, stdout=subprocess.DEVNULL))
            stack.callback(process.terminate)
        yield found


def ask(world: Any, services: Services, pod: str, *, full: bool = False) -> str:
    state = world.control("state")
    order = order_in_the_lab(state, pod=pod, seconds=SECONDS, filter="icmp", full=full)
    capture, _ = services.ledger.request(order)
    assert accept(services, capture) is not None, services.ledger.get(capture.id).sentence
    advance(services)
    return capture.id


def memory(pid: int, what: str) -> int:
    """Bytes of a process's memory: `VmHWM` is the most so far."""
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10


def gapless(path: Path, address: str, seconds: int) -> bool:
    fields = ("-T", "fields", "-e", "icmp.seq")
    answer = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-Y", f"icmp.type == 8 && ip.dst == {address}", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    numbers = [int(word.split(",")[0]) for word in answer.stdout.split()]
    return len(numbers) > seconds and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_one_worker_holds_fifty_captures_in_under_330_mib_and_each_is_complete(
    world: Any, services: Services, pods: dict[str, str]
) -> None:
    most = hold(world, services, pods, COUNT, TOGETHER)
    assert most < MOST


def test_a_large_file_and_eight_captures_at_once_take_little_memory(
    world: Any, services: Services, pods: dict[str, str]
) -> None:
    """Of a worker that has begun: what it takes to begin is imports."""
    worker = world.podcap.processes["worker"].pid
    eventually(lambda: " ready." in world.podcap.log("worker"), what=lambda: world.podcap.log("worker"))
    before = memory(worker, "VmRSS")
    assert hold_large(world, services, pods) - before < ONE_LARGE
    before = memory(worker, "VmHWM")
    assert hold(world, services, pods, 8, 2) - before < 8 * SHARE


def hold_large(world: Any, services: Services, pods: dict[str, str]) -> int:
    """One capture of large pings; the most memory that the worker had, in bytes."""
    pod, address = next(iter(pods.items()))
    one = ask(world, services, pod, full=True)
    wait_for(services, [one], {State.CAPTURING})
    ping = ("ping", "-q", "-i", "0.01", "-c", str(LARGE_PINGS), "-s", str(LARGE_BYTES), address)
    world.lab.node(NODES[0], *ping)
    services.ledger.request_stop(one, "U1")
    wait_for(services, [one], FINAL)
    most = memory(world.podcap.processes["worker"].pid, "VmHWM")
    assert (services.ledger.get(one).bytes or 0) > 2 * LARGE_PINGS * LARGE_BYTES
    return most


def wait_for(services: Services, ids: Iterable[str], states: Container[State]) -> None:
    """Until each is in one of these states."""
    while any(services.ledger.get(one).state not in states for one in ids):
        time.sleep(1)


def hold(world: Any, services: Services, pods: dict[str, str], count: int, together: int) -> int:
    """So many captures at once, each complete; the most memory that the worker had, in bytes."""
    names = list(pods)
    asked = {ask(world, services, names[n % len(names)]): pods[names[n % len(names)]] for n in range(count)}
    pid = world.podcap.processes["worker"].pid
    wait_for(services, asked, {State.CAPTURING})
    time.sleep(together)
    assert {services.ledger.get(one).state for one in asked} == {State.CAPTURING}
    log.info("%d capturing, %d MiB", count, memory(pid, "VmRSS") >> 20)
    for one in asked:
        services.ledger.request_stop(one, "U1")
    wait_for(services, asked, FINAL)
    most = memory(pid, "VmHWM")
    log.info("%d at once, %d MiB at most", count, most >> 20)

    ended = [services.ledger.get(one) for one in asked]
    assert {one.state for one in ended} == {State.STOPPED}, [one.sentence for one in ended]
    files = world.control("state")["files"].values()
    for one, address in asked.items():
        (path,) = (Path(file["path"]) for file in files if Path(file["path"]).name.startswith(one))
        assert gapless(path, address, together), one
    assert world.agent_pods() == ""
    return most
