"""What the lab reads of its machine, and what it decides from that: pure."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.cgroups import Hierarchy, parse_mounts
from deploy.lab.cluster import unready
from deploy.lab.images.recipes import RECIPES
from deploy.lab.node.network import commands
from deploy.lab.places import Places
from deploy.lab.plan import NODES, node_named
from deploy.lab.workloads.nodes import nodes
from deploy.lab.workloads.pods import READY, cheddar, pods
from deploy.lab.workloads.services import dns_arguments, services

UNIFIED = (
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"
)
HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
35 31 0:32 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
36 31 0:30 /some/container /else/memory rw,relatime - cgroup cgroup rw,memory
"""


def test_a_machine_with_cgroup_v2_has_one_hierarchy() -> None:
    assert parse_mounts(UNIFIED) == (Hierarchy(Path("/sys/fs/cgroup"), ""),)
    assert parse_mounts(UNIFIED)[0].unified


def test_a_hybrid_machine_has_each_once_and_part_mounts_do_not_count() -> None:
    found = {str(one.root): one.options for one in parse_mounts(HYBRID)}

    assert found == {
        "/sys/fs/cgroup/cpu,cpuacct": "cpu,cpuacct",
        "/sys/fs/cgroup/memory": "memory",
        "/sys/fs/cgroup/systemd": "none,name=systemd",
        "/sys/fs/cgroup/unified": "",
    }


def test_seen_from_a_cgroup_namespace_a_whole_hierarchy_still_counts() -> None:
    line = "36 31 0:30 /../.. /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"

    assert parse_mounts(line) == (Hierarchy(Path("/sys/fs/cgroup/memory"), "memory"),)


@given(st.text("abc/", min_size=1, max_size=300))
def test_a_kubelets_socket_fits_into_a_unix_sockets_path(folder: str) -> None:
    places = Places(Path("/") / folder.strip("/"))

    assert all(len(bytes(places.socket(node.name))) < 108 for node in NODES)


def test_two_labs_share_nothing() -> None:
    one, two = Places(Path("/a")), Places(Path("/b"))

    assert one.run != two.run
    assert one.cgroup != two.cgroup


def test_a_node_that_does_not_run_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="the lab runs no node 'k8s-node04'"):
        node_named("k8s-node04")


@pytest.mark.parametrize("node", NODES)
def test_no_node_is_given_a_default_route(node: object) -> None:
    assert not [one for one in commands(node) if "default" in one]  # type: ignore[arg-type]


def test_every_image_of_the_workloads_can_be_built() -> None:
    specs = [one["spec"] for one in (*pods(), *cheddar()) if one["kind"] == "Pod"]
    images = {container["image"] for spec in specs for container in spec["containers"]}

    assert images <= set(RECIPES)


def test_the_dns_server_knows_every_service() -> None:
    told = " ".join(dns_arguments())

    for service in services():
        name = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
        assert f"{name},{service['spec']['clusterIP']}" in told


def test_there_is_a_node_that_nobody_runs() -> None:
    assert {node["metadata"]["name"] for node in nodes()} - {node.name for node in NODES} == {"k8s-node04"}


def test_what_is_not_ready_is_named() -> None:
    def pod(namespace: str, name: str, *, ready: bool = True, phase: str = "Running") -> dict[str, object]:
        conditions = [{"type": "Ready", "status": str(ready)}]
        status = {"phase": phase, "conditions": conditions}
        return {"metadata": {"namespace": namespace, "name": name}, "status": status}

    done = pod("traefik", "finished", ready=False, phase="Succeeded")
    bare = [pod(*key) for key in READY]
    three = [pod("traefik", f"cheddar-1-{number}") for number in range(3)]

    assert unready([*bare, *three, done]) == []
    assert unready([*bare, *three[:2], done]) == ["traefik/cheddar (2 of 3)"]
    assert unready([*bare[1:], *three]) == ["kube-system/dns", "traefik/finished"]
