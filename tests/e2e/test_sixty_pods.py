"""Sixty pods on three nodes by one command: all captured, begun together, in order, one message."""

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.plan import NODES
from tests.e2e.conftest import eventually
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.tap_record import TapState
from workers.pcapng.own_file import OwnFile

log = logging.getLogger(__name__)

PODS = 60
MOST_APART = 500_000_000
"""Nanoseconds."""

SEND = """\
import socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for address in sys.argv[1:]:
        sender.sendto(b"cheese", (address, 9999))
    time.sleep(0.1)
"""


@pytest.fixture
def crowd(lab: LabHandle) -> Iterator[list[dict[str, Any]]]:
    """Pods of one Deployment, each of which is sent packets all the time."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "crowd"},
        "spec": {
            "replicas": PODS,
            "selector": {"matchLabels": {"app": "crowd"}},
            "template": {
                "metadata": {"labels": {"app": "crowd"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {"name": "main", "image": "podcap-agent:lab", "command": ["sleep", "3600"]}
                    ],
                },
            },
        },
    }
    lab.kubectl("create", "-n", "traefik", "-f", "-", text=json.dumps(deployment))

    def running() -> list[dict[str, Any]]:
        pods = [pod for pod in lab.pods("app=crowd") if pod["status"].get("phase") == "Running"]
        return pods if len(pods) == PODS else []

    pods = eventually(running, what=lambda: f"{PODS} pods to run")
    senders = []
    for node in NODES:
        there = [pod["status"]["podIP"] for pod in pods if pod["spec"]["nodeName"] == node.name]
        if there:
            argv = lab.command("node", node.name, "python3", "-c", SEND, *there)
            senders.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL))
    try:
        yield pods
    finally:
        for sender in senders:
            sender.terminate()
            sender.wait()
        lab.kubectl("delete", "deployment", "crowd", "-n", "traefik")


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seconds", [20])
def test_sixty_pods_are_captured_by_one_command(
    make_world: Callable[..., Any], crowd: list[dict[str, Any]], seconds: int
) -> None:
    world = make_world(settings={"PODCAP_ASK_ABOVE": "100"})
    answer = world.command(f"traefik/deploy/crowd {seconds}s udp port 9999")
    assert answer.status == 200
    thread = world.wait_for_end()
    engine = open_engine(world.environment["PODCAP_DATABASE_URL"])
    taps = Ledger(engine).taps.of(world.capture)
    engine.dispose()
    assert {tap.pod for tap in taps} == {pod["metadata"]["name"] for pod in crowd}
    assert {tap.state for tap in taps} == {TapState.COLLECTED}, [tap for tap in taps if tap.sentence]
    began = [tap.began for tap in taps if tap.began is not None]
    log.info("began %.1f ms apart", (max(began) - min(began)) / 1e6)
    assert len(began) == PODS
    assert max(began) - min(began) < MOST_APART
    with closing(world.file().open("rb")) as source:
        packets = [(time, number) for number, _, _, _, _, time in OwnFile(source).packets()]
    assert packets == sorted(packets)
    assert {number for _, number in packets} == set(range(PODS))
    assert f"at {PODS} pods, on 3 nodes" in thread
