"""Three pods on three nodes in one capture: begun at one moment, one file, one message."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.e2e.several import ask, replicas
from workers.capture import run
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.ledger.tap_record import TapRecord, TapState
from workers.services import Services, open_ledger, open_policy
from workers.settings import Settings
from workers.slack.place import SlackPlace
from workers.store import Store
from workers.trail.trail import Wanted

MILLISECOND = 1_000_000


@pytest.fixture
def world(lab: LabHandle, tmp_path: Path, world_of: Callable[..., Any]) -> Any:
    """podcap's settings without its processes."""
    return world_of(lab, tmp_path)


@pytest.fixture
def services(world: Any) -> Services:
    settings = Settings(_env_file=None, **world.environment)
    ledger = open_ledger(settings)
    place = SlackPlace(settings, ledger)
    return Services(settings, ledger, open_policy(settings), Store(settings.store_url), place)


@pytest.fixture
def pings(lab: LabHandle) -> Iterator[list[TapRecord]]:
    """The pods that serve cheese, each pinged fifty times a second from its node."""
    taps = replicas(lab)
    running = []
    for tap in taps:
        address = lab.get("pod", tap.pod, "traefik")["status"]["podIP"]
        ping = lab.command("node", str(tap.node), "ping", "-q", "-i", "0.02", address)
        running.append(subprocess.Popen(ping, stdout=subprocess.DEVNULL))
    try:
        yield taps
    finally:
        for process in running:
            process.terminate()
            process.wait()


def events(services: Services, capture: Capture) -> Counter[str]:
    return Counter(entry.event for entry in services.ledger.trail.entries(Wanted(capture_id=capture.id)))


def interfaces(path: Path) -> Counter[str]:
    """How many packets each interface has, by its pod; those of the file must be in order."""
    fields = ("-T", "fields", "-e", "frame.interface_description", "-e", "frame.time_epoch")
    answer = subprocess.run(
        ["tshark", "-n", "-r", str(path), *fields], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in answer.stdout.splitlines()]
    times = [float(at) for _, at in rows]
    assert times == sorted(times)
    return Counter(described.split(" on ")[0] for described, _ in rows)


def test_three_pods_begin_together_and_one_that_is_gone_stops_no_other(
    world: Any, services: Services, pings: list[TapRecord]
) -> None:
    gone = TapRecord(len(pings), namespace="traefik", pod="cheddar-gone", node="k8s-node01")
    capture = ask(world, services, [*pings, gone], seconds=2, filter_="icmp")
    world.capture = capture.id
    run(services, capture.id)
    ended = services.ledger.get(capture.id)
    taps = services.ledger.taps.of(capture.id)
    assert ended.state is State.DELIVERED, (ended, taps)
    assert [tap.state for tap in taps] == [*[TapState.COLLECTED] * len(pings), TapState.FAILED]
    began = [tap.began for tap in taps if tap.began is not None]
    assert len(began) == len(pings)
    assert max(began) - min(began) < 200 * MILLISECOND
    counted = interfaces(world.file())
    assert counted == {tap.name: tap.packets for tap in taps[:-1]}
    assert all(number > 100 for number in counted.values()), counted
    assert ended.packets == counted.total()
    assert events(services, capture)["tapped"] == len(pings)
    thread = world.thread()
    for tap in taps:
        assert tap.name in thread, thread
    assert "There is no pod cheddar-gone" in thread
    assert "at 3 of 4 pods, on 3 nodes" in thread
    assert "All taps began within" in thread
    assert world.agent_pods() == ""
