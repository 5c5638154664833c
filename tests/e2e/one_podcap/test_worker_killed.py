"""A worker that is killed without a word: another one finds the spool, and nothing is left behind."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from workers.agent.agent import delete
from workers.agent.pod_spec import AgentLimits, Owner, pod_spec
from workers.cluster.cluster import connect
from workers.housekeeping import keep_house
from workers.ledger.leases import MOST_LOST_WORKERS
from workers.ledger.states import State
from workers.pulse import Pulse
from workers.services import Services

_LIMITS = AgentLimits(seconds=60, spool_bytes=1 << 20)


@pytest.fixture
def two_strangers(world: Any, services: Services) -> Iterator[None]:
    """Agent pods of captures that the ledger does not know: one of its own installation, one of another's."""
    with connect(world.environment["KUBECONFIG"]) as cluster:
        try:
            for capture_id, installation in (
                ("cap-222222", services.ledger.installation()),
                ("cap-333333", "another-podcap"),
            ):
                manifest = pod_spec(
                    owner=Owner(capture_id, installation),
                    node="k8s-node01",
                    namespace="podcap",
                    image="podcap-agent:lab",
                    limits=_LIMITS,
                )
                cluster.create_pod("podcap", manifest)
            yield
        finally:
            for capture_id in ("cap-222222", "cap-333333"):
                delete(cluster, "podcap", capture_id)


@contextmanager
def a_macvlan_pod(world: Any) -> Iterator[str]:
    """Its packets do not pass any interface of its own on the node, so its network namespace is entered."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "macvlan", "annotations": {"lab/network": "macvlan"}},
        "spec": {
            "nodeName": "k8s-node01",
            "containers": [{"name": "main", "image": "podcap-agent:lab", "command": ["sleep", "600"]}],
        },
    }
    world.lab.kubectl("create", "-n", "traefik", "-f", "-", text=json.dumps(pod))
    try:
        world.lab.wait_for("macvlan", lambda found: found["status"].get("phase") == "Running")
        yield "macvlan"
    finally:
        world.lab.delete_pod("macvlan")


def kill_the_worker(world: Any) -> None:
    world.podcap.stop("worker", with_signal=signal.SIGKILL)


@pytest.mark.soak
def test_a_capture_inside_a_pod_is_taken_over_with_the_agent_pod_that_entered_it(
    world: Any, services: Services
) -> None:
    with a_macvlan_pod(world) as name:
        world.command(f"traefik/{name} 20s icmp")
        world.wait_for_words("of 20s ·")
        kill_the_worker(world)
        uid = agent_uid(world)
        keep_house(services, Pulse(silence=0, looks=0))
        world.podcap.start("worker")
        while services.ledger.get(world.capture).state is not State.CAPTURING:
            time.sleep(0.2)
        assert agent_uid(world) == uid
        world.wait_for_end()
    assert services.ledger.get(world.capture).state is State.DELIVERED
    assert world.agent_pods() == ""


@pytest.mark.soak
def test_a_capture_that_lost_three_workers_ends_and_its_agent_pod_goes(
    world: Any, services: Services
) -> None:
    world.command(f"traefik/{world.pod()} 2m port 80")
    world.wait_for_words("of 2m ·")
    for _ in range(MOST_LOST_WORKERS - 1):
        kill_the_worker(world)
        keep_house(services, Pulse(silence=0, looks=0))
        world.podcap.start("worker")
        while services.ledger.get(world.capture).worker is None:
            time.sleep(0.2)
    kill_the_worker(world)
    keep_house(services, Pulse(silence=0, looks=0))
    ended = services.ledger.get(world.capture)
    assert (ended.state, ended.sentence) == (State.FAILED, "3 workers died at this capture: ask again.")
    assert world.agent_pods() == ""
    world.podcap.start("worker")


@pytest.mark.usefixtures("two_strangers")
def test_an_agent_pod_that_nobody_knows_goes_only_when_it_is_this_installations(
    world: Any, services: Services
) -> None:
    keep_house(services, Pulse())
    pods = json.loads(world.lab.kubectl("get", "pods", "-n", "podcap", "-o", "json"))["items"]
    left = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert left == ["podcap-cap-333333"]


def agent_uid(world: Any) -> str:
    """Which agent pod it is."""
    return str(world.lab.get("pod", f"podcap-{world.capture}", "podcap")["metadata"]["uid"])
