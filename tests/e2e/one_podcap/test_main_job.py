"""A slash command becomes a capture file in the thread, on real packets."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.plan import CLIENT_ADDRESS
from tests.e2e.node_port import changeable, met_at_its_own_node


@pytest.fixture(scope="module")
def pod(lab: Any) -> Iterator[str]:
    """A pod that the lab's client meets behind the node port of the pod's own node, again and again."""
    with changeable(lab) as service:
        yield met_at_its_own_node(lab, service)[1]


@pytest.fixture(scope="module")
def captured(world: Any, pod: str) -> Any:
    """The lab's traffic, captured for six seconds."""
    with world.traffic():
        answer = world.command(f"traefik/{pod} 6s full port 80")
        assert answer.status == 200
        assert "reports in this channel" in answer.text
        world.wait_for_end()
    return world


@pytest.fixture(scope="module")
def file(captured: Any) -> Path:
    return captured.file()


def tshark(file: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["tshark", "-n", "-r", file, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_message_ends_with_packets_bytes_drops_node_interface_and_how_it_was_found(captured: Any) -> None:
    thread = captured.thread()
    assert re.search(r"Done: [\d,]+ packets?, [\d.]+ \wB, 0 dropped by the kernel", thread.replace("*", ""))
    assert re.search(r"veth[0-9a-f]{8} on k8s-node0\d \(namespace id \d+, peer index 2", thread)
    assert "confidence high" in thread


def test_the_file_holds_the_pods_port_80_packets_in_both_directions_and_nothing_else(
    pod: str, lab: Any, file: Path
) -> None:
    address = lab.get("pod", pod)["status"]["podIP"]
    frames = ("-T", "fields", "-e", "frame.number")
    there = tshark(file, "-Y", f"ip.dst == {address} and tcp.dstport == 80", *frames).split()
    back = tshark(file, "-Y", f"ip.src == {address} and tcp.srcport == 80", *frames).split()
    assert there
    assert back
    assert sorted(there + back, key=int) == tshark(file, *frames).split()


def test_the_flow_count_in_the_thread_is_tsharks(captured: Any, file: Path) -> None:
    conversations = [line for line in tshark(file, "-q", "-z", "conv,tcp").splitlines() if "<->" in line]
    (said,) = re.findall(r"([\d,]+) flows?, the busiest first", captured.thread().replace("*", ""))
    assert int(said.replace(",", "")) == len(conversations) > 0


def test_the_packet_count_in_the_message_is_the_files(captured: Any, file: Path) -> None:
    (said,) = re.findall(r"Done: ([\d,]+) packets?", captured.thread().replace("*", ""))
    assert int(said.replace(",", "")) == len(tshark(file, "-T", "fields", "-e", "frame.number").split())


def test_the_thread_says_what_was_asked_of_the_pod(captured: Any) -> None:
    # Failures stand first, and only ten lines are said: a 200 need not be among them.
    assert re.search(r"GET .* → \d{3}", captured.thread())


def test_the_thread_says_whose_fault_it_is_that_the_pod_does_not_see_its_clients(
    captured: Any, pod: str
) -> None:
    thread = captured.thread()
    said = next(line for line in thread.splitlines() if "does not see who its clients are" in line)
    assert pod in said
    assert "Service traefik/cheddar has externalTrafficPolicy: Cluster" in said.replace("`", "")


def test_in_the_file_addresses_have_the_names_of_the_cluster(pod: str, lab: Any, file: Path) -> None:
    address = lab.get("pod", pod)["status"]["podIP"]
    resolved = ("-N", "n", "-Y", f"ip.src == {address}", "-T", "fields", "-e", "ip.src_host")
    assert set(tshark(file, *resolved).split()) == {f"{pod}.traefik.pod"}
    hosts = tshark(file, "-q", "-z", "hosts")
    assert f"{address}\t{pod}.traefik.pod" in hosts
    assert re.search(r"\.(gateway|node)$", hosts, re.MULTILINE)


def test_the_thread_has_a_picture_of_the_traffic_that_is_told_in_words_too(captured: Any, pod: str) -> None:
    files = captured.control("state")["files"].values()
    (picture,) = (file for file in files if file["path"].endswith(f"traffic-{captured.capture}.png"))
    assert Path(picture["path"]).read_bytes().startswith(b"\x89PNG")
    assert f"Traffic of traefik/{pod}: " in captured.thread()
    assert "To clients: " in captured.thread()


def test_what_was_around_the_pod_and_what_it_logged_stand_in_a_text(captured: Any, pod: str) -> None:
    files = captured.control("state")["files"].values()
    (told,) = (file for file in files if file["path"].endswith(f"context-{captured.capture}.txt"))
    text = Path(told["path"]).read_text()
    assert f"traefik/{pod} on node k8s-node0" in text
    assert re.search(r"default via 10\.244\.\d\.1 dev eth0", text)
    assert re.search(r"TCP 0\.0\.0\.0:80 listens", text)
    assert re.search(r"container cheese: 0 restarts", text)
    assert re.search(r'\d 10\.244\.\d\.1 - - \[.*"GET / HTTP/1\.1" 200 .*<- ', text)


@pytest.mark.skipif(not Path("/proc/net/nf_conntrack").exists(), reason="this kernel does not show it")
def test_beside_the_address_in_the_pods_log_stands_who_its_client_was(captured: Any, pod: str) -> None:
    thread = captured.thread()
    said = next(line for line in thread.splitlines() if f"The log of `traefik/{pod}` names" in line)
    assert re.search(rf"came from .*{CLIENT_ADDRESS}", said)
    assert re.search(rf"← client {re.escape(CLIENT_ADDRESS)}(:\d+)? \(connection tracking of node", thread)


def test_the_right_interface_was_tapped_seen_from_outside(captured: Any, pod: str, lab: Any) -> None:
    interface, node = re.findall(r"(veth[0-9a-f]{8}) on (k8s-node0\d)", captured.thread())[0]
    address = lab.get("pod", pod)["status"]["podIP"]
    lab.node(node, "ping", "-q", "-c", "1", address)  # so that both tables know it
    neighbours = json.loads(lab.node(node, "ip", "-j", "neigh"))
    mac = next(entry["lladdr"] for entry in neighbours if entry["dst"] == address)
    ports = json.loads(lab.node(node, "bridge", "-j", "fdb", "show"))
    assert {entry["ifname"] for entry in ports if entry["mac"] == mac} == {interface}


def test_nothing_is_left_behind(captured: Any) -> None:
    assert captured.agent_pods() == ""
    captured.wait_for_no_leftovers()
