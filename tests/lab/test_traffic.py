"""Packets come from where a real cluster's come from."""

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.lab.cgroups import Tree
from deploy.lab.handle import LabHandle
from deploy.lab.plan import CLIENT_ADDRESS, NODE_PORT, NODES, Node
from tests.hangs import HANGS

TCPDUMP = ("tcpdump", "-Z", "root", "-n", "-c", "2", "-i")
ASK = """\
import http.client, sys
for address in sys.argv[1:]:
    connection = http.client.HTTPConnection(address, %d, timeout=30)
    connection.request("GET", "/")
    print(connection.getresponse().read().decode().strip())
"""


def ask(lab: LabHandle, *nodes: Node) -> list[tuple[str, str]]:
    """Who answered through each node's NodePort, and which address it saw."""
    lines = lab.client("python3", "-c", ASK % NODE_PORT, *(node.address for node in nodes)).splitlines()
    found = [re.fullmatch(r"pod=(\S+) client=([0-9.]+):\d+", line) for line in lines]
    return [(match[1], match[2]) for match in found if match]


def policy(lab: LabHandle, value: str) -> None:
    lab.kubectl(
        "patch",
        "service",
        "cheddar",
        "-n",
        "traefik",
        "-p",
        json.dumps({"spec": {"externalTrafficPolicy": value}}),
    )


def test_with_policy_cluster_a_pod_sees_a_nodes_address_and_with_local_the_clients(lab: LabHandle) -> None:
    node_of = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in lab.pods("task=cheddar")}

    for node in NODES:
        ((pod, seen),) = ask(lab, node)
        assert seen == (node.gateway if node_of[pod] == node.name else node.address)
    policy(lab, "Local")
    try:
        deadline = time.monotonic() + HANGS
        # Each node learns of it by itself.
        while {seen for _, seen in ask(lab, *NODES)} != {CLIENT_ADDRESS}:
            assert time.monotonic() < deadline, "a patch of the Service must change the packets"
        for node in NODES:
            ((pod, seen),) = ask(lab, node)
            assert (node_of[pod], seen) == (node.name, CLIENT_ADDRESS)
    finally:
        policy(lab, "Cluster")
    while CLIENT_ADDRESS in {seen for _, seen in ask(lab, *NODES)}:
        assert time.monotonic() < deadline, "the patch is taken back"


def test_a_client_stays_with_one_replica_per_node(lab: LabHandle) -> None:
    answers = ask(lab, *[NODES[0]] * 12)

    assert len(answers) == 12
    assert len({pod for pod, _ in answers}) == 1


def test_the_probes_of_a_pod_come_from_its_nodes_bridge_without_data(lab: LabHandle) -> None:
    pod = lab.get("pod", "cheddar-845749dbd6-zcdjm")
    index = lab.exec("cheddar-845749dbd6-zcdjm", "cat", "/sys/class/net/eth0/iflink").strip()
    links = json.loads(lab.node("k8s-node02", "ip", "-j", "link"))
    interface = next(link["ifname"] for link in links if link["ifindex"] == int(index))
    quiet = "tcp port 80 and src host 10.244.2.1 and tcp[tcpflags] & tcp-syn != 0"

    said = lab.node("k8s-node02", "timeout", str(HANGS), *TCPDUMP, interface, quiet)

    assert len(re.findall(rf"IP 10\.244\.2\.1\.\d+ > {pod['status']['podIP']}\.80: Flags \[S\]", said)) == 2
    log = lab.kubectl("logs", "-n", "traefik", "cheddar-845749dbd6-zcdjm")
    assert "kube-probe" not in log


def test_the_access_log_is_in_combined_format_with_the_address_the_pod_saw(lab: LabHandle) -> None:
    ((pod, seen),) = ask(lab, NODES[0])

    log = lab.kubectl("logs", "-n", "traefik", pod)

    # Others ask this pod, too, so that ours need not be the last line.
    when = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} \+0000\]"
    assert re.search(rf'^{re.escape(seen)} - - {when} "GET / HTTP/1\.1" 200 \d+ "-" "-"$', log, re.MULTILINE)


def test_traffic_of_every_kind_is_made_for_as_long_as_asked(lab: LabHandle) -> None:
    said = lab.run("traffic", "6")

    for outcome in ("dns found", "dns unknown", "http 200", "http 404", "http 500", "refused", "tls"):
        assert re.search(rf"\b\d+ {outcome}\b", said), said
    assert "failed" not in said


def test_traffic_ends_with_whoever_makes_it(lab: LabHandle) -> None:
    def visitors() -> int:
        found = 0
        for process in Tree(lab.places.cgroup).processes():
            with contextlib.suppress(OSError):
                found += b"visitor.py" in Path(f"/proc/{process}/cmdline").read_bytes()
        return found

    def wait_until(goal: Callable[[int], bool]) -> None:
        deadline = time.monotonic() + HANGS
        while not goal(visitors()):
            assert time.monotonic() < deadline, f"{visitors()} visitors"
            time.sleep(0.1)

    with subprocess.Popen(lab.command("traffic", "3600"), stdout=subprocess.DEVNULL) as making:
        try:
            wait_until(lambda count: count >= 2)
        finally:
            making.terminate()
    wait_until(lambda count: count == 0)


@pytest.mark.parametrize("seconds", ["0", "-1", "3601"])
def test_traffic_is_bounded(lab: LabHandle, seconds: str) -> None:
    with pytest.raises(RuntimeError, match="traffic lasts from 1 to 3600 seconds"):
        lab.run("traffic", "--", seconds)


def test_pods_on_one_node_reach_each_other_through_a_service(lab: LabHandle) -> None:
    asked = "import urllib.request as u; print(u.urlopen('http://distroless', timeout=30).read().decode())"

    assert "pod=distroless client=10.244.1." in lab.exec("shopper", "python3", "-c", asked)


def test_tls_is_served_with_a_certificate_of_its_own(lab: LabHandle) -> None:
    program = (
        "import ssl; print(ssl.get_server_certificate(('tls.traefik.svc.cluster.local', 443), timeout=30))"
    )

    assert lab.exec("shopper", "python3", "-c", program).startswith("-----BEGIN CERTIFICATE-----")
