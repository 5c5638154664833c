"""Which address a pod sees behind a node port, who that was, and whether a client stays at one replica.

Three replicas on three nodes, their nodes' uplinks, the Service's fields: all from one command.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.plan import CLIENT_ADDRESS, NODES
from tests.e2e.node_port import Reply, Service, ask, changeable, met_at_its_own_node

POLICY = """\
rules:
  - namespaces: [traefik]
    max_duration: 5m
    payload: true
    uplinks: true
    logs: true
"""


@pytest.fixture(scope="module")
def service(lab: LabHandle) -> Iterator[Service]:
    with changeable(lab) as service:
        yield service


@pytest.fixture(scope="module")
def world(make_world: Callable[..., Any]) -> Any:
    return make_world(policy=POLICY)


def captured(world: Any, lab: LabHandle, *nodes: Any) -> tuple[str, list[Reply]]:
    """The thread of a capture of all replicas, while the client asks at these nodes; and its answers."""
    world.command("traefik/svc/cheddar 2m full")
    world.wait_for_words("of 2m ·")
    replies = ask(lab, *nodes)
    world.click("stop_capture", user="alice")
    thread = world.wait_for_words("Stopped by")
    return thread.replace("`", ""), replies


def shown(pod: str) -> str:
    """A pod's name as findings say it."""
    return re.sub(r"-[0-9a-f]+-(?=\w+$)", "-…", f"traefik/{pod}")


def test_with_cluster_the_client_the_node_the_service_and_its_field_are_named(
    world: Any, lab: LabHandle, service: Service
) -> None:
    node, _ = met_at_its_own_node(lab, service)
    other = NODES[node.number % len(NODES)]
    thread, replies = captured(world, lab, *[node] * 5, *[other] * 3)
    pod = replies[0].pod
    assert replies[:5] == [Reply(pod, node.gateway)] * 5, "the client stays at one replica"
    assert len(set(replies[5:])) == 1
    assert (
        f"Client {CLIENT_ADDRESS} appears at the pod {shown(pod)} as {node.gateway}: Service "
        "traefik/cheddar "
        f"has externalTrafficPolicy: Cluster, so that node {node.name}"
    ) in thread
    assert (
        "sessionAffinity: ClientIP of Service traefik/cheddar was kept: all connections that "
        f"{CLIENT_ADDRESS} "
        "opened through the same node went to the same replica (8 in all)."
    ) in thread
    assert re.search(rf"{CLIENT_ADDRESS} +{node.name} +{node.gateway} +\S+ +5 +5", thread), thread
    # The pod's own log says whom it saw, and beside it stands who that was.
    assert re.search(rf'{node.gateway} "GET /" 200\n\s+← client {CLIENT_ADDRESS}', thread), thread
    for each in lab.pods("task=cheddar"):
        assert each["metadata"]["name"] in thread
    assert "does not see who its clients are" not in thread


def test_with_local_the_pods_see_the_client_itself(world: Any, lab: LabHandle, service: Service) -> None:
    service.change("Local")
    thread, replies = captured(world, lab, *[NODES[0]] * 3, *[NODES[1]] * 2)
    assert {each.client for each in replies} == {CLIENT_ADDRESS}
    assert (
        f"The pods of Service traefik/cheddar see who their clients are: 5 connections of {CLIENT_ADDRESS}"
        in (thread)
    )
    assert "externalTrafficPolicy: Cluster" not in thread
