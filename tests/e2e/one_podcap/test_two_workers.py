"""Two workers: one that leaves hands its captures to the other, one that stood still finds them gone."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.procfile import Procfile
from workers.housekeeping import keep_house
from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.pulse import Pulse
from workers.services import Services
from workers.trail.trail import Wanted

GRACE_SECONDS = 30
"""What Kubernetes gives a pod between SIGTERM and SIGKILL."""

Workers = Callable[[], Procfile]


@pytest.fixture
def other(world: Any, tmp_path: Path) -> Iterator[Procfile]:
    """A second worker beside the world's."""
    with Procfile(world.environment, tmp_path / "logs").start("worker") as worker:
        yield worker


def process_of(capture: Capture, *procfiles: Procfile) -> tuple[Procfile, subprocess.Popen[bytes]]:
    """The worker that has the capture."""
    pid = int((capture.worker or "").rpartition(":")[2])
    for procfile in procfiles:
        if procfile.processes["worker"].pid == pid:
            return procfile, procfile.processes["worker"]
    raise LookupError(capture)


def events(services: Services, capture_id: str) -> list[str]:
    return [entry.event for entry in services.ledger.trail.entries(Wanted(capture_id=capture_id))]


def the_one_file(world: Any) -> dict[str, Any]:
    """The only file that the capture has in Slack."""
    files = world.control("state")["files"].values()
    (file,) = (one for one in files if Path(one["path"]).name.startswith(world.capture))
    return dict(file)


@pytest.mark.usefixtures("world")
def test_a_worker_that_is_told_to_end_leaves_in_time_and_another_finishes(
    world: Any, services: Services, other: Procfile
) -> None:
    with world.traffic():
        world.command(f"traefik/{world.pod()} 20s full port 80")
        world.wait_for_words("of 20s ·")
        capture = services.ledger.get(world.capture)
        procfile, leaving = process_of(capture, world.podcap, other)
        leaving.send_signal(signal.SIGTERM)
        assert leaving.wait(GRACE_SECONDS) == 0
        world.wait_for_end()
    ended = services.ledger.get(capture.id)
    assert (ended.state, ended.ended_by) == (State.DELIVERED, "duration")
    assert ended.worker != capture.worker
    assert ended.spool_sha256 is not None
    assert events(services, capture.id).count("worker left") == 1
    assert events(services, capture.id).count("taken over") == 1
    assert "worker lost" not in events(services, capture.id)
    assert the_one_file(world)["size"] > 24
    assert world.agent_pods() == ""
    procfile.processes.pop("worker")
    if procfile is world.podcap:
        world.podcap.start("worker")


def test_a_worker_that_stood_still_until_another_took_over_writes_nothing(
    world: Any, services: Services, other: Procfile
) -> None:
    with world.traffic():
        world.command(f"traefik/{world.pod()} 20s full port 80")
        world.wait_for_words("of 20s ·")
        capture = services.ledger.get(world.capture)
        procfile, hung = process_of(capture, world.podcap, other)
        os.kill(hung.pid, signal.SIGSTOP)
        try:
            keep_house(services, Pulse(silence=0, looks=0))
            world.wait_for_end()
            # Its last write comes after its thread's last word.
            while services.ledger.get(capture.id).shown != State.DELIVERED:
                signal.sigtimedwait([], 0.2)
            ended = services.ledger.get(capture.id)
            before = events(services, capture.id)
            seen = world.thread()
            logged = len(procfile.log("worker"))
        finally:
            os.kill(hung.pid, signal.SIGCONT)
        while "nothing more is done" not in procfile.log("worker")[logged:]:
            assert hung.poll() is None
            signal.sigtimedwait([], 0.2)
    assert ended.worker != capture.worker
    assert services.ledger.get(capture.id) == ended
    assert events(services, capture.id) == before
    assert world.thread() == seen
    the_one_file(world)
    assert world.agent_pods() == ""
