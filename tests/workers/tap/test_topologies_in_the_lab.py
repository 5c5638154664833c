"""Pods of every topology of the lab, with decoys around them: tapped where the lab knows that they are."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.kubelet.topologies import TOPOLOGIES
from deploy.lab.truth import truth
from tests.bot.terminal.conftest import Terminal, interrupt, told, wait_for_line
from tests.hangs import HANGS
from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner
from workers.cluster.cluster import Cluster, connect
from workers.tap.gather import gather
from workers.tap.tap import NoTap, decide

NODE = "k8s-node01"
OWNER = Owner("tap-topologies", "tests")
SERVE = """
import socket
s = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
while True: s.accept()[0].close()
"""
ASK = """
import socket, sys
for _ in range(5):
    socket.create_connection((sys.argv[1], 8080), 30).close()
"""
POLICY = """
rules:
  - namespaces: [traefik]
    namespace_tap: true
"""


def manifest(network: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"tap-{network}",
            "namespace": "traefik",
            "annotations": {"lab/network": network, "lab/decoys": "true"},
        },
        "spec": {
            "nodeName": NODE,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {"name": "main", "image": "cheddar:lab", "command": ["python3", "-I", "-c", SERVE]}
            ],
        },
    }


@pytest.fixture(scope="module")
def cluster(lab: LabHandle) -> Iterator[Cluster]:
    with connect(lab.places.kubeconfig) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def pods(lab: LabHandle) -> Iterator[Mapping[str, dict[str, Any]]]:
    """A pod of each topology, by that."""
    items = [manifest(network) for network in TOPOLOGIES]
    lab.kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    names = [item["metadata"]["name"] for item in items]
    try:
        for name in names:
            lab.wait_for(name, lambda pod: pod["status"].get("phase") == "Running")
        yield {network: lab.get("pod", f"tap-{network}") for network in TOPOLOGIES}
    finally:
        lab.kubectl("delete", "pod", "-n", "traefik", *names)


@pytest.fixture(scope="module")
def agent(cluster: Cluster) -> Iterator[AgentPod]:
    limits = AgentLimits(seconds=600, spool_bytes=1 << 20)
    try:
        yield create(
            cluster, owner=OWNER, node=NODE, namespace="podcap", image="podcap-agent:lab", limits=limits
        )
    finally:
        delete(cluster, "podcap", OWNER.capture_id)


@pytest.fixture
def terminal(lab: LabHandle, tmp_path: Path) -> Iterator[Terminal]:
    """Somebody with a kubeconfig and an agent image."""
    found = Terminal(tmp_path, KUBECONFIG=str(lab.places.kubeconfig), PODCAP_AGENT_IMAGE="podcap-agent:lab")
    try:
        yield found
    finally:
        found.end()


@pytest.mark.parametrize("network", TOPOLOGIES)
def test_a_pod_is_tapped_at_its_own_interface_among_decoys(
    lab: LabHandle, cluster: Cluster, agent: AgentPod, pods: Mapping[str, dict[str, Any]], network: str
) -> None:
    pod = cluster.running_pod("traefik", f"tap-{network}")
    expected = truth(lab.places, pods[network])
    tap = decide(gather(agent, pod), pod, may_enter=True)
    if expected.interface:
        assert (tap.pid, tap.interface, tap.ifindex) == (None, expected.interface, expected.ifindex), tap
    else:
        assert (tap.method, tap.interface, tap.ifindex) == ("inside", expected.inside, expected.inside_index)
        with pytest.raises(NoTap, match="`namespace_tap: true`"):
            decide(gather(agent, pod), pod)


def test_a_macvlan_pod_is_refused_at_a_terminal_and_captured_with_a_policy_that_allows_it(
    lab: LabHandle, terminal: Terminal, pods: Mapping[str, dict[str, Any]], tmp_path: Path
) -> None:
    refused = terminal.run("capture", "traefik/tap-macvlan", "1s")
    assert refused.returncode == 1
    assert "can be taken in its network namespace alone (the node has no link" in refused.stderr

    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    terminal.environment["PODCAP_POLICY"] = str(policy)
    process = terminal.start("capture", "traefik/tap-macvlan", "5m", "tcp", "port", "8080", "-o", "here.pcap")
    wait_for_line(process, "Capturing on")
    lab.client("python3", "-c", ASK, pods["macvlan"]["status"]["podIP"])
    interrupt(process)
    _, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    syn = "tcp.flags.syn == 1 and tcp.flags.ack == 0"
    assert len(told(tmp_path / "here.pcap", "frame.number", syn)) == 5
    tapped = next(facts for event, _, facts in terminal.trail() if event == "tapped")
    assert (tapped["method"], tapped["interface"]) == ("inside", "eth0")
    expected = truth(lab.places, pods["macvlan"])
    assert tapped["netns_inode"] == expected.namespace
    assert tapped["netns_mark"] == Path(f"/proc/{expected.process}/net/dev").stat().st_ino


def test_a_filter_that_matches_nothing_is_reported_with_what_passed(
    lab: LabHandle, terminal: Terminal, pods: Mapping[str, dict[str, Any]]
) -> None:
    process = terminal.start(
        "capture", "traefik/tap-bridge", "5m", "udp", "port", "9", stdout=subprocess.PIPE
    )
    wait_for_line(process, "Capturing on")
    lab.node(NODE, "python3", "-c", ASK, pods["bridge"]["status"]["podIP"])
    interrupt(process)
    output, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    said = " ".join(output.decode().split())
    assert "packets passed the interface meanwhile, and the filter let none of them through." in said
    tapped = next(facts for event, _, facts in terminal.trail() if event == "tapped")
    process = truth(lab.places, pods["bridge"]).process
    assert (tapped["netns_inode"], tapped["netns_mark"]) == (
        None,
        Path(f"/proc/{process}/net/dev").stat().st_ino,
    )
    assert lab.node(NODE, "cut", "-d ", "-f22", f"/proc/{tapped['process']}/stat").strip() == str(
        tapped["process_started"]
    )
