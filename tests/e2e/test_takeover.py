"""A worker is killed at every step of a capture: another goes on from what is there, and nothing is said
twice."""

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
from tests.e2e.dying import LISTENS
from tests.e2e.in_process import worker_services
from tests.orders import order_in_the_lab
from workers.admission import accept
from workers.capture import run
from workers.housekeeping import keep_house
from workers.ledger.agreement import disagreement
from workers.ledger.capture import Capture
from workers.ledger.engine import open_engine
from workers.ledger.states import ACTIVE, State
from workers.pulse import Pulse
from workers.queueing import advance
from workers.services import Services
from workers.trail.trail import Wanted

ROOT = Path(__file__).parents[2]
NODE = "k8s-node02"
SECONDS = 6
WHILE_DELIVERING = ("picture delivered", "file delivered")
MOMENTS = (*sorted(ACTIVE), LISTENS, *WHILE_DELIVERING)
"""Each state, and moments that nobody has written down: tcpdump listens; the file is in the thread."""
UNWRITTEN = {LISTENS: State.TAPPING, **dict.fromkeys(WHILE_DELIVERING, State.DELIVERING)}


@pytest.fixture
def world(lab: LabHandle, tmp_path: Path, world_of: Callable[..., Any]) -> Any:
    """podcap's settings without its processes."""
    return world_of(lab, tmp_path)


@pytest.fixture
def services(world: Any) -> Iterator[Services]:
    with worker_services(world) as services:
        yield services


@pytest.fixture
def pinged(lab: LabHandle) -> Iterator[tuple[str, str]]:
    """A pod that is pinged fifty times a second: its name and address."""
    with lab.pod("survivor", {}, namespace="traefik", nodeName=NODE) as pod:
        address = pod["status"]["podIP"]
        ping = lab.command("node", NODE, "ping", "-q", "-i", "0.02", address)
        with subprocess.Popen(ping, stdout=subprocess.DEVNULL) as process:
            try:
                yield pod["metadata"]["name"], address
            finally:
                process.terminate()


def ask(world: Any, services: Services, pod: str) -> Capture:
    """A capture of whole packets that has its message and its turn."""
    state = world.control("state")
    order = order_in_the_lab(state, pod=pod, seconds=SECONDS, filter="icmp", full=True)
    capture, _ = services.ledger.request(order)
    queued = accept(services, capture)
    assert queued is not None, services.ledger.get(capture.id).sentence
    advance(services)
    return queued


def kill_workers(world: Any, moments: dict[str, str]) -> None:
    """A worker each is killed at its moment, by capture id."""
    words = [f"{capture_id}={moment}" for capture_id, moment in moments.items()]
    environment = {**os.environ, **world.environment}
    subprocess.run([sys.executable, "-m", "tests.e2e.dying", *words], cwd=ROOT, env=environment, check=True)


def take_over(services: Services, ids: list[str]) -> None:
    """Other workers, all at once."""
    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(lambda one: run(services, one), ids))


def posted(world: Any, capture: Capture) -> list[dict[str, Any]]:
    """What stands in the capture's thread, its own message first."""
    messages = world.control("state")["messages"]["incidents"]
    return [
        message for message in messages if capture.message_ts in (message["ts"], message.get("thread_ts"))
    ]


def pings(world: Any, capture_id: str, address: str) -> list[tuple[int, float]]:
    """The pings towards the pod in the one file that the capture has in Slack: sequence number and time."""
    files = world.control("state")["files"].values()
    (path,) = (file["path"] for file in files if Path(file["path"]).name.startswith(capture_id))
    fields = ("-T", "fields", "-e", "icmp.seq", "-e", "frame.time_epoch")
    answer = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y", f"icmp.type == 8 && ip.dst == {address}", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in answer.stdout.splitlines()]
    return [(int(number.split(",")[0]), float(at)) for number, at in rows]


def test_a_worker_killed_at_any_step_is_followed_by_another_that_says_nothing_twice(
    world: Any, services: Services, pinged: tuple[str, str]
) -> None:
    pod, address = pinged
    captures = {ask(world, services, pod).id: moment for moment in MOMENTS}
    kill_workers(world, captures)
    states = {one: services.ledger.get(one).state for one in captures}
    assert states == {one: UNWRITTEN.get(at, at) for one, at in captures.items()}
    keep_house(services, Pulse(silence=0, looks=0))
    assert {one.id for one in services.ledger.watch.adrift()} == set(captures)
    take_over(services, list(captures))

    for one, moment in captures.items():
        ended = services.ledger.get(one)
        assert ended.state is State.DELIVERED, (moment, ended)
        events = Counter(entry.event for entry in services.ledger.trail.entries(Wanted(capture_id=one)))
        assert all(events[state] == 1 for state in ACTIVE), (moment, events)
        assert (events["worker lost"], events["taken over"]) == (1, 1)
        # What runs is gone on with where it is.
        assert events["tapped"] == 1, (moment, events)
        assert [events[what] for what in WHILE_DELIVERING] == [1, 1], (moment, events)
        (first, begin), *_, (_, end) = seen = pings(world, one, address)
        assert [number for number, _ in seen] == list(range(first, first + len(seen))), moment
        assert end - begin > SECONDS - 2, moment
        # Its own message; summary, picture, file, closing; what was around the pod, when that is known still.
        assert len(posted(world, ended)) in (5, 6), (moment, posted(world, ended))
    assert world.agent_pods() == ""
    assert services.ledger.trail.verify().ok
    engine = open_engine(services.settings.database_url)
    assert disagreement(engine) is None
    engine.dispose()
