"""Every pod of the lab gets its own interface; whether it is the right one is asked another way."""

import json
from collections.abc import Iterator

import pytest

from deploy.lab.handle import LabHandle
from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner
from workers.cluster.cluster import Cluster, connect
from workers.tap.gather import gather
from workers.tap.gather_uplink import api_servers, gather_uplink
from workers.tap.iflink import with_iflink
from workers.tap.tap import decide
from workers.tap.uplink import decide_uplink

NODES = ("k8s-node01", "k8s-node02", "k8s-node03")


@pytest.fixture(scope="module")
def cluster(lab: LabHandle) -> Iterator[Cluster]:
    with connect(lab.places.kubeconfig) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def agents(cluster: Cluster) -> Iterator[dict[str, AgentPod]]:
    """An agent pod on each node."""
    try:
        yield {
            node: create(
                cluster,
                owner=Owner(f"tap-{node}", "tests"),
                node=node,
                namespace="podcap",
                image="podcap-agent:lab",
                limits=AgentLimits(seconds=600, spool_bytes=1 << 20),
            )
            for node in NODES
        }
    finally:
        for node in NODES:
            delete(cluster, "podcap", f"tap-{node}")


def owner(lab: LabHandle, node: str, interface: str) -> str:
    """The address behind an interface, by what its namespace itself says (setns, which podcap cannot)."""
    script = (
        'index=$(cat "/sys/class/net/$1/ifindex")\n'
        "for process in /proc/[0-9]*; do\n"
        '    nsenter --net="$process/ns/net" ip -j -d addr show dev eth0 2>/dev/null |\n'
        '        grep -F "\\"link_index\\":$index,"\n'
        "done | head -n 1"
    )
    links = json.loads(lab.node(node, "sh", "-c", script, "owner", interface))
    return str(links[0]["addr_info"][0]["local"])


def test_every_running_pod_with_a_network_of_its_own_is_tapped_at_its_own_interface(
    lab: LabHandle, cluster: Cluster, agents: dict[str, AgentPod]
) -> None:
    pods = [
        pod
        for namespace in ("traefik", "kube-system")
        for pod in cluster.pods_with_label(namespace, "")
        if pod.phase == "Running" and not pod.host_network and pod.node in NODES
    ]
    assert len(pods) >= 6
    for pod in pods:
        tap = decide(gather(agents[str(pod.node)], pod), pod)
        assert tap.confidence == "high", tap
        assert owner(lab, tap.node, tap.interface) == pod.ips[0]
        assert int(lab.node(tap.node, "cat", f"/sys/class/net/{tap.interface}/ifindex")) == tap.ifindex


def test_a_pod_that_may_be_asked_names_the_same_link(cluster: Cluster, agents: dict[str, AgentPod]) -> None:
    pod = next(pod for pod in cluster.pods_with_label("traefik", "task=cheddar") if pod.phase == "Running")
    evidence = with_iflink(cluster, pod, gather(agents[str(pod.node)], pod))
    tap = decide(evidence, pod)
    assert evidence.iflinks == {"eth0": tap.ifindex}
    assert f"the pod's own iflink {tap.ifindex} agrees" in tap.proof


def test_a_pod_without_programs_is_tapped_without_its_own_answer(
    cluster: Cluster, agents: dict[str, AgentPod]
) -> None:
    pod = cluster.running_pod("traefik", "distroless")
    tap = decide(with_iflink(cluster, pod, gather(agents[str(pod.node)], pod)), pod)
    assert tap.confidence == "high"
    assert tap.proof[-1].startswith("the pod's own iflink is unknown (")


def test_a_host_network_pod_is_tapped_at_its_node_at_its_port(
    cluster: Cluster, agents: dict[str, AgentPod]
) -> None:
    pod = cluster.running_pod("traefik", "hostnet")
    tap = decide(gather(agents[str(pod.node)], pod), pod)
    assert tap.interface == "any"
    assert tap.narrow.startswith("(tcp port 8080) and not tcp port 10250 and not (ifindex ")


def test_every_nodes_uplink_is_the_interface_with_its_address(
    lab: LabHandle, cluster: Cluster, agents: dict[str, AgentPod]
) -> None:
    for node, agent in agents.items():
        addresses = cluster.node(node).addresses
        tap = decide_uplink(gather_uplink(agent), node, addresses, api_servers(cluster))
        (link,) = json.loads(lab.node(node, "ip", "-j", "address", "show", "dev", tap.interface))
        assert addresses[0] in {one["local"] for one in link["addr_info"]}
        assert (tap.ifindex, tap.pid) == (link["ifindex"], None)
