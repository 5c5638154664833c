"""What makes a careless capture tool tap the wrong interface is there on purpose."""

import json
import re
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.plan import NODES


def links(lab: LabHandle, node: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lab.node(node, "ip", "-j", "-d", "link"))
    return found


def veths(lab: LabHandle, node: str) -> list[dict[str, Any]]:
    return [link for link in links(lab, node) if link.get("master") == "cni0"]


def test_one_node_has_interface_indexes_that_contain_each_other(lab: LabHandle) -> None:
    assert {11, 111, 1110} <= {link["ifindex"] for link in links(lab, "k8s-node01")}


@pytest.mark.parametrize("node", [node.name for node in NODES])
def test_every_pods_interface_reports_the_same_peer_index(lab: LabHandle, node: str) -> None:
    ends = veths(lab, node)

    assert len(ends) >= 2
    assert {end["link_index"] for end in ends} == {2}
    assert len({end["link_netnsid"] for end in ends}) == len(ends)
    assert all(re.fullmatch("veth[0-9a-f]{8}", end["ifname"]) for end in ends)
    assert all(end["linkinfo"]["info_kind"] == "veth" for end in ends)


def test_a_pods_eth0_points_at_exactly_one_interface_of_its_node(lab: LabHandle) -> None:
    for pod in lab.pods("task=cheddar"):
        inside = int(lab.exec(pod["metadata"]["name"], "cat", "/sys/class/net/eth0/iflink"))
        there = [link for link in veths(lab, pod["spec"]["nodeName"]) if link["ifindex"] == inside]
        neighbours = json.loads(lab.node(pod["spec"]["nodeName"], "ip", "-j", "neigh"))
        address = next(one["lladdr"] for one in neighbours if one["dst"] == pod["status"]["podIP"])
        table = json.loads(lab.node(pod["spec"]["nodeName"], "bridge", "-j", "fdb", "show", "br", "cni0"))
        learned = {one["ifname"] for one in table if one["mac"] == address}

        assert len(there) == 1
        assert learned == {there[0]["ifname"]}


def test_a_pod_has_a_pause_process_and_several_of_its_own_in_one_network(lab: LabHandle) -> None:
    pod = lab.pods("task=cheddar")[0]
    uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
    script = 'for p in /proc/[0-9]*; do echo "$(readlink $p/ns/net) $(head -n 1 $p/cgroup)"; done'
    mine = [line.split() for line in lab.node(node, "sh", "-c", script).splitlines() if uid in line]
    containers = {line[1].rsplit("/", 1)[1] for line in mine}
    shown = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")

    assert len(mine) >= 4
    assert len({line[0] for line in mine}) == 1
    assert len(containers) == 2
    assert shown in containers
    assert all(re.search(rf":/kubepods/burstable/pod{uid}/[0-9a-f]{{64}}$", line[1]) for line in mine)


def test_the_pods_names_are_the_same_in_every_lab(lab: LabHandle) -> None:
    where = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in lab.pods("task=cheddar")}

    assert where == {
        "cheddar-845749dbd6-7kq2x": "k8s-node01",
        "cheddar-845749dbd6-zcdjm": "k8s-node02",
        "cheddar-845749dbd6-n8bvt": "k8s-node03",
    }
