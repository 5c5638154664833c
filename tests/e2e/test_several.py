"""Three pods on three nodes in one capture: begun at one moment, one file, one message."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.e2e.dying import BEGINS, LISTENS
from tests.e2e.in_process import worker_services
from tests.e2e.several import ask, replicas
from workers.capture import run
from workers.housekeeping import keep_house
from workers.ledger.capture import Capture
from workers.ledger.states import ACTIVE, State
from workers.ledger.tap_record import TapRecord, TapState
from workers.pulse import Pulse
from workers.services import Services
from workers.trail.trail import Wanted

ROOT = Path(__file__).parents[2]
NEAR = 2 * 10**9
"""Nanoseconds between the first beginning and the last, on however busy a machine."""
SECONDS = 4
MOMENTS = (LISTENS, BEGINS, State.CAPTURING, State.DELIVERING)


@pytest.fixture
def world(lab: LabHandle, tmp_path: Path, world_of: Callable[..., Any]) -> Any:
    """podcap's settings without its processes."""
    return world_of(lab, tmp_path)


@pytest.fixture
def services(world: Any) -> Iterator[Services]:
    with worker_services(world) as services:
        yield services


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


def read(path: Path, *fields: str, shown: str = "frame") -> list[list[str]]:
    """Fields of the packets of a file."""
    wanted = [word for field in fields for word in ("-e", field)]
    answer = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-Y", shown, "-T", "fields", *wanted],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in answer.stdout.splitlines()]


def interfaces(path: Path) -> Counter[str]:
    """How many packets each interface has, by its pod; those of the file must be in order."""
    rows = read(path, "frame.interface_description", "frame.time_epoch")
    times = [float(at) for _, at in rows]
    assert times == sorted(times)
    return Counter(described.split(" on ")[0] for described, _ in rows)


def gaps(path: Path) -> dict[str, tuple[int, float]]:
    """How many pings each interface misses from its first to its last, and how many seconds that takes."""
    seen: dict[str, list[tuple[int, float]]] = {}
    for interface, number, at in read(
        path, "frame.interface_id", "icmp.seq", "frame.time_epoch", shown="icmp.type == 8"
    ):
        seen.setdefault(interface, []).append((int(number.split(",")[0]), float(at)))
    return {
        interface: (pings[-1][0] - pings[0][0] + 1 - len(pings), pings[-1][1] - pings[0][1])
        for interface, pings in seen.items()
    }


def files(world: Any) -> dict[str, Path]:
    """Slack's files by their names."""
    paths = [Path(file["path"]) for file in world.control("state")["files"].values()]
    return {path.name: path for path in paths}


def test_three_pods_begin_together_and_one_that_is_gone_stops_no_other(
    world: Any, services: Services, pings: list[TapRecord]
) -> None:
    gone = TapRecord(len(pings), namespace="traefik", pod="cheddar-gone", node="k8s-node01")
    why = "Pod cheddar-new is Pending: it has no packets yet."
    down = TapRecord(
        len(pings) + 1, namespace="traefik", pod="cheddar-new", state=TapState.FAILED, sentence=why
    )
    capture = ask(world, services, [*pings, gone, down], seconds=2, filter_="icmp")
    world.capture = capture.id
    run(services, capture.id)
    ended = services.ledger.get(capture.id)
    taps = services.ledger.taps.of(capture.id)
    assert ended.state is State.DELIVERED, (ended, taps)
    assert [tap.state for tap in taps] == [*[TapState.COLLECTED] * len(pings), *[TapState.FAILED] * 2]
    began = [tap.began for tap in taps if tap.began is not None]
    assert len(began) == len(pings)
    assert max(began) - min(began) < NEAR
    counted = interfaces(world.file())
    assert counted == {tap.name: tap.packets for tap in taps[:-2]}
    assert {missing for missing, _ in gaps(world.file()).values()} == {0}
    assert ended.packets == counted.total()
    assert events(services, capture)["tapped"] == len(pings)
    thread = world.thread()
    for tap in taps:
        assert tap.name in thread, thread
    assert "There is no pod cheddar-gone" in thread
    assert why in thread
    assert "at 3 of 5 pods, on 3 nodes" in thread
    assert "All taps began within" in thread
    assert world.agent_pods() == ""


@pytest.mark.parametrize(
    "moments", [(State.CAPTURING,), pytest.param(MOMENTS, marks=pytest.mark.soak)], ids=["once", "whenever"]
)
def test_a_worker_killed_at_three_pods_is_followed_by_another_that_joins_what_they_have(
    world: Any, services: Services, pings: list[TapRecord], moments: tuple[str, ...]
) -> None:
    captures = {ask(world, services, pings, seconds=SECONDS, filter_="icmp").id: moment for moment in moments}
    words = [f"{capture_id}={moment}" for capture_id, moment in captures.items()]
    environment = {**os.environ, **world.environment}
    subprocess.run([sys.executable, "-m", "tests.e2e.dying", *words], cwd=ROOT, env=environment, check=True)
    keep_house(services, Pulse(silence=0, looks=0))
    with ThreadPoolExecutor(len(captures)) as pool:
        list(pool.map(lambda one: run(services, one), captures))
    for one, moment in captures.items():
        ended = services.ledger.get(one)
        taps = services.ledger.taps.of(one)
        assert ended.state is State.DELIVERED, (moment, ended, taps)
        assert [tap.state for tap in taps] == [TapState.COLLECTED] * len(pings), (moment, taps)
        counts = events(services, ended)
        assert all(counts[state] == 1 for state in ACTIVE), (moment, counts)
        assert counts["file delivered"] == 1, (moment, counts)
        began = [tap.began for tap in taps if tap.began is not None]
        assert max(began) - min(began) < NEAR, (moment, taps)
        context = files(world).get(f"context-{one}.txt")
        assert (context is None) == (moment == State.DELIVERING), moment
        if context is not None:
            late = "when another worker took the capture over" in context.read_text()
            assert late == (moment in (BEGINS, State.CAPTURING)), moment
    if State.DELIVERING in moments:
        assert "What was around the pods is not here" in str(world.control("state"))
        world.capture = one
        counted = interfaces(world.file())
        assert counted == {tap.name: tap.packets for tap in taps}, moment
        for missing, seconds in gaps(world.file()).values():
            assert missing == 0, (moment, taps)
            assert seconds > SECONDS - 2, (moment, taps)
    assert world.agent_pods() == ""
