"""Pods connected as other CNIs do it: traffic passes, a node shows what it would show, nothing stays."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest

from deploy.lab.handle import CommandFailed, LabHandle
from deploy.lab.kernel import why_not
from deploy.lab.kubelet.topologies import TOPOLOGIES, routed_name

HERE, THERE = "k8s-node01", "k8s-node02"
BUILT = [one for one in TOPOLOGIES if why_not(one) is None]
Pods = Mapping[str, dict[str, Any]]
PROBE = """
import socket, sys, time
for address in sys.argv[1:]:
    for _ in range(1000):
        try:
            socket.create_connection((address, 8080), 30).close()
            break
        except ConnectionRefusedError:  # it does not listen yet
            time.sleep(0.1)
    else:
        sys.exit(1)
"""


def manifest(name: str, node: str, annotations: Mapping[str, str]) -> dict[str, Any]:
    """A pod that serves on port 8080 of every address, and has Python to ask others."""
    serve = (
        "import socket\n"
        "s = socket.create_server(('::', 8080), family=socket.AF_INET6, dualstack_ipv6=True)\n"
        "while True: s.accept()[0].close()\n"
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "traefik", "annotations": dict(annotations)},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {"name": "main", "image": "cheddar:lab", "command": ["python3", "-I", "-c", serve]}
            ],
        },
    }


@contextmanager
def running(lab: LabHandle, *manifests: dict[str, Any]) -> Iterator[Pods]:
    names = [one["metadata"]["name"] for one in manifests]
    lab.kubectl(
        "create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    )
    try:
        for name in names:
            lab.wait_for(name, lambda pod: pod["status"].get("phase") == "Running")
        yield {pod["metadata"]["name"]: pod for pod in lab.pods() if pod["metadata"]["name"] in names}
    finally:
        lab.kubectl("delete", "pod", "-n", "traefik", *names)


@pytest.fixture(scope="module")
def pods(lab: LabHandle) -> Iterator[Pods]:
    """A pod of each topology on each of two nodes: `routed-k8s-node01`."""
    wanted = [
        manifest(f"{network}-{node}", node, {"lab/network": network})
        for network in BUILT
        for node in (HERE, THERE)
    ]
    with running(lab, *wanted) as found:
        yield found


def ips(pod: Mapping[str, Any]) -> list[str]:
    return [one["ip"] for one in pod["status"]["podIPs"]]


def reaches(lab: LabHandle, source: str, *addresses: str) -> bool:
    try:
        lab.exec(source, "python3", "-I", "-c", PROBE, *addresses)
    except CommandFailed:
        return False
    return True


def rows(lab: LabHandle, node: str, *command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lab.node(node, *command))
    return found


def needs(*networks: str) -> None:
    """Skips where the kernel cannot build them, and says so."""
    for network in networks:
        if (sentence := why_not(network)) is not None:
            pytest.skip(sentence)


@pytest.mark.parametrize("network", TOPOLOGIES)
def test_a_pod_reaches_its_like_on_another_node_at_every_address(
    lab: LabHandle, pods: Pods, network: str
) -> None:
    needs(network)
    there = pods[f"{network}-{THERE}"]

    assert reaches(lab, f"{network}-{HERE}", *ips(there))


@pytest.mark.parametrize("network", [one for one in TOPOLOGIES if one not in ("macvlan", "ipv6")])
def test_a_node_and_a_pod_on_its_bridge_reach_the_pod(lab: LabHandle, pods: Pods, network: str) -> None:
    needs(network)
    address = ips(pods[f"{network}-{HERE}"])[0]

    assert reaches(lab, f"bridge-{HERE}", address)
    lab.node(HERE, "python3", "-c", PROBE, address)


def test_a_node_cannot_reach_a_macvlan_child_of_its_uplink_but_the_lan_can(
    lab: LabHandle, pods: Pods
) -> None:
    needs("macvlan")
    address = ips(pods[f"macvlan-{HERE}"])[0]

    lab.client("python3", "-c", PROBE, address)
    with pytest.raises(CommandFailed):
        lab.node(HERE, "python3", "-c", PROBE, address)


def test_a_dual_stack_pod_has_an_address_of_each_family_and_an_ipv6_pod_one(pods: Pods) -> None:
    needs("dual-stack", "ipv6")
    both, six = ips(pods[f"dual-stack-{HERE}"]), ips(pods[f"ipv6-{HERE}"])

    assert [":" in one for one in both] == [False, True]
    assert [":" in one for one in six] == [True]


def test_a_routed_pod_has_a_route_of_its_own_and_no_bridge(lab: LabHandle, pods: Pods) -> None:
    name, address = f"routed-{HERE}", ips(pods[f"routed-{HERE}"])[0]
    (link,) = rows(lab, HERE, "ip", "-j", "-d", "link", "show", routed_name("traefik", name))
    (route,) = rows(lab, HERE, "ip", "-j", "route", "get", "fibmatch", address)

    assert link["linkinfo"]["info_kind"] == "veth"
    assert (link["link_index"], link["address"]) == (2, "ee:ee:ee:ee:ee:ee")
    assert "master" not in link
    assert (route["dst"], route["dev"]) == (address, link["ifname"])
    assert lab.truth(pods[name]).interface == link["ifname"]


def test_a_macvlan_pod_has_no_link_on_its_node(lab: LabHandle, pods: Pods) -> None:
    needs("macvlan")
    found = lab.truth(pods[f"macvlan-{HERE}"])
    kinds = {one.get("linkinfo", {}).get("info_kind") for one in rows(lab, HERE, "ip", "-j", "-d", "link")}

    assert (found.kind, found.inside, found.interface) == ("macvlan", "eth0", "")
    assert "macvlan" not in kinds


def test_packets_between_overlay_pods_cross_the_lan_in_vxlan(lab: LabHandle, pods: Pods) -> None:
    needs("overlay")

    def sent() -> int:
        (link,) = rows(lab, HERE, "ip", "-j", "-s", "link", "show", "flannel.1")
        return int(link["stats64"]["tx"]["packets"])

    before = sent()
    address = ips(pods[f"overlay-{THERE}"])[0]
    assert reaches(lab, f"overlay-{HERE}", address)
    (link,) = rows(lab, HERE, "ip", "-j", "-d", "link", "show", "flannel.1")
    table = rows(lab, HERE, "bridge", "-j", "fdb", "show", "dev", "flannel.1")

    assert sent() > before
    assert (link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["port"]) == ("vxlan", 8472)
    assert {one["dst"] for one in table} == {"192.168.1.21", "192.168.1.22"}


def test_a_second_interface_makes_two_links_into_one_namespace(lab: LabHandle, pods: Pods) -> None:
    found = lab.truth(pods[f"two-interfaces-{HERE}"])
    links = {one["ifname"]: one for one in rows(lab, HERE, "ip", "-j", "-d", "link")}
    own = links[found.interface]
    other = [
        one
        for one in links.values()
        if one.get("link_netnsid") == own["link_netnsid"] and one["ifname"] != own["ifname"]
    ]

    assert (own["master"], own["link_index"]) == ("cni0", 2)
    assert [(one["master"], one["link_index"]) for one in other] == [("br1", 3)]


def test_the_truth_names_each_pods_own_link(lab: LabHandle, pods: Pods) -> None:
    found = [lab.truth(pod) for name, pod in pods.items() if not name.startswith("macvlan-k8s")]

    assert len({(one.node, one.ifindex) for one in found}) == len(found)
    assert len({one.namespace for one in found}) == len(found)
    assert all(one.kind == "veth" and one.inside_index == 2 for one in found)


def test_the_command_line_tells_the_truth_and_says_when_there_is_none(lab: LabHandle) -> None:
    told = json.loads(lab.run("truth", "traefik/shopper"))

    assert told == asdict(lab.truth(lab.get("pod", "shopper")))
    for name, why in {
        "hostnet": "uses its node's network",
        "finished": "no process of pod",
        "nobody": '"nobody" not found',
        "unschedulable": "runs no node",
    }.items():
        with pytest.raises(CommandFailed, match=why):
            lab.run("truth", f"traefik/{name}")


def test_decoys_stand_around_a_pod_that_wants_them(lab: LabHandle) -> None:
    with running(lab, manifest("shy", HERE, {"lab/decoys": "true"})) as found:
        address = ips(found["shy"])[0]
        own = lab.truth(found["shy"]).interface
        links = {one["ifname"]: one for one in rows(lab, HERE, "ip", "-j", "-d", "link")}
        neighbours = [one for one in rows(lab, HERE, "ip", "-j", "neigh") if one["dst"] == address]
        table = rows(lab, HERE, "bridge", "-j", "fdb", "show")
        liar = links[routed_name("traefik", "shy")]
        behind = {
            one["ifname"] for one in table if one["mac"] in {n["lladdr"] for n in neighbours if "lladdr" in n}
        }

        assert liar["ifname"] != own
        assert liar["ifname"] in behind
        child = any(one.get("linkinfo", {}).get("info_kind") == "macvlan" for one in links.values())
        assert child is (why_not("macvlan") is None)
        assert reaches(lab, "shopper", address)


def test_nothing_of_a_pod_stays_on_its_node(lab: LabHandle) -> None:
    def state() -> tuple[set[str], set[str], set[str]]:
        return (
            {one["ifname"] for one in rows(lab, HERE, "ip", "-j", "link")},
            {one["dst"] for one in rows(lab, HERE, "ip", "-j", "route")},
            {one["mac"] for one in rows(lab, HERE, "bridge", "-j", "fdb", "show") if "dst" in one},
        )

    before = state()
    wants = [{"lab/network": network, "lab/decoys": "true"} for network in BUILT]
    with running(lab, *(manifest(f"gone-{one['lab/network']}", HERE, one) for one in wants)):
        assert state() != before

    assert state() == before


def test_a_pod_may_have_the_addresses_and_index_of_one_before_it_and_is_heard_at_once(
    lab: LabHandle, pods: Pods
) -> None:
    needs("dual-stack")
    asks, network = pods[f"dual-stack-{HERE}"]["metadata"]["name"], {"lab/network": "dual-stack"}
    with running(lab, manifest("old", HERE, network)) as found:
        addresses, index = ips(found["old"]), lab.truth(found["old"]).ifindex
        assert reaches(lab, asks, *addresses)
    reused = {"lab/address": addresses[0], "lab/index": str(index)}
    with running(lab, manifest("new", HERE, network | reused)) as found:
        assert ips(found["new"]) == addresses
        assert lab.truth(found["new"]).ifindex == index
        assert reaches(lab, asks, *addresses)


def test_a_network_that_does_not_exist_is_named_in_the_pods_status(lab: LabHandle) -> None:
    lab.kubectl(
        "create", "-f", "-", text=json.dumps(manifest("odd", HERE, {"lab/network": "carrier-pigeon"}))
    )
    try:
        pod = lab.wait_for("odd", lambda one: "pigeon" in json.dumps(one["status"]))
        assert "the lab knows no network 'carrier-pigeon'; it knows bridge, routed" in json.dumps(
            pod["status"]
        )
    finally:
        lab.delete_pod("odd")
