"""Agent pods in the lab."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.hangs import HANGS
from workers.agent.agent import AgentError, create, delete, remove_leftovers
from workers.agent.pod_spec import AgentLimits, Owner
from workers.cluster.cluster import Cluster, connect
from workers.cluster.errors import ClusterError, ConflictError
from workers.tap.gather import gather

LIMITS = AgentLimits(seconds=10, spool_bytes=1 << 20)
SETTINGS: dict[str, Any] = {
    "owner": Owner("cap-agent", "tests"),
    "node": "k8s-node02",
    "namespace": "podcap",
    "image": "podcap-agent:lab",
    "limits": LIMITS,
}


@pytest.fixture
def cluster(lab: LabHandle) -> Iterator[Cluster]:
    with connect(lab.places.kubeconfig) as cluster:
        yield cluster
        delete(cluster, "podcap", "cap-agent")


def agents(cluster: Cluster) -> list[str]:
    return [pod.name for pod in cluster.pods_with_label("podcap", "podcap.dev/capture=cap-agent")]


def test_an_agent_pod_runs_on_its_node_and_is_gone_without_a_trace(cluster: Cluster) -> None:
    agent = create(cluster, **SETTINGS)
    assert agent.node == "k8s-node02"
    assert agent.run(["hostname"], seconds=HANGS).stdout.strip() == b"k8s-node02"
    assert delete(cluster, "podcap", "cap-agent")
    assert agents(cluster) == []
    assert not delete(cluster, "podcap", "cap-agent")


def test_its_processes_have_the_capabilities_of_its_manifest_and_cannot_gain_more(cluster: Cluster) -> None:
    status = create(cluster, **SETTINGS).run(["cat", "/proc/self/status"], seconds=HANGS).stdout.decode()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    net_raw_and_setgid = f"{1 << 13 | 1 << 6:016x}"
    assert (fields["CapEff"], fields["CapBnd"]) == (net_raw_and_setgid, net_raw_and_setgid)
    assert fields["NoNewPrivs"] == "1"


def test_with_the_profile_that_enters_they_have_two_more_and_reach_a_pods_network_namespace(
    cluster: Cluster,
) -> None:
    agent = create(cluster, **SETTINGS | {"limits": replace(LIMITS, profile="namespace")})
    status = agent.run(["cat", "/proc/self/status"], seconds=HANGS).stdout.decode()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["CapEff"] == f"{1 << 21 | 1 << 19 | 1 << 13 | 1 << 6:016x}"
    assert fields["NoNewPrivs"] == "1"
    pod = next(
        pod
        for pod in cluster.pods_with_label("traefik", "")
        if pod.node == agent.node and pod.phase == "Running" and not pod.host_network
    )
    pid = gather(agent, pod).processes[0].pid
    done = agent.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-j", "addr", "show", "eth0"], seconds=HANGS
    )
    assert pod.ips[0] in done.stdout.decode()


def test_one_that_may_enter_network_namespaces_is_taken_over_and_known_to_be_one(cluster: Cluster) -> None:
    first = create(cluster, **SETTINGS | {"limits": replace(LIMITS, profile="namespace")})
    again = create(cluster, **SETTINGS)
    assert again.pod.uid == first.pod.uid
    assert again.may_enter


def test_one_that_may_not_enter_them_is_not_taken_over_to_do_so(cluster: Cluster) -> None:
    assert not create(cluster, **SETTINGS).may_enter
    with pytest.raises(ConflictError):
        create(cluster, **SETTINGS | {"limits": replace(LIMITS, profile="namespace")})


def test_one_that_is_there_already_for_the_same_capture_is_taken_over(cluster: Cluster) -> None:
    first = create(cluster, **SETTINGS)
    assert create(cluster, **SETTINGS).pod.uid == first.pod.uid


def test_one_that_is_there_on_another_node_is_not_taken_over(cluster: Cluster) -> None:
    create(cluster, **SETTINGS)
    with pytest.raises(ConflictError):
        create(cluster, **SETTINGS | {"node": "k8s-node01"})


def test_an_image_that_is_not_there_ends_the_waiting_at_once_and_leaves_no_pod(cluster: Cluster) -> None:
    with pytest.raises(
        AgentError, match=r"agent pod on node k8s-node02 cannot run: (ErrImagePull|ImagePull)"
    ):
        create(cluster, **SETTINGS | {"image": "no-such-image:1"}, seconds=60)
    delete(cluster, "podcap", "cap-agent")
    assert agents(cluster) == []


@pytest.mark.parametrize(
    ("reason", "what"), [("OutOfcpu", "CPU"), ("OutOfmemory", "memory"), ("OutOfpods", "place for a pod")]
)
def test_a_full_node_is_said_in_a_sentence(lab: LabHandle, cluster: Cluster, reason: str, what: str) -> None:
    # As the kubelet of a full node writes it; the one of this node does nothing.
    status = {"phase": "Failed", "reason": reason, "message": "Node didn't have enough resource"}
    refused = ("-n", "podcap", "--subresource=status", "-p", json.dumps({"status": status}))

    def poll() -> None:
        lab.kubectl("patch", "pod", "podcap-cap-agent", *refused)

    with pytest.raises(AgentError, match=f"^Node k8s-node04 has no {what} left .*: try again when"):
        create(cluster, **SETTINGS | {"node": "k8s-node04"}, poll=poll)


def test_a_node_that_starts_nothing_ends_the_waiting_with_its_deadline(cluster: Cluster) -> None:
    with pytest.raises(AgentError, match="node k8s-node04 did not run within 1 s"):
        create(cluster, **SETTINGS | {"node": "k8s-node04"}, seconds=1)


def test_whoever_gives_up_while_waiting_leaves_no_pod(cluster: Cluster) -> None:
    def poll() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create(cluster, **SETTINGS, poll=poll)
    delete(cluster, "podcap", "cap-agent")
    assert agents(cluster) == []


def test_a_namespace_that_does_not_exist_is_said_by_the_api(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="nowhere"):
        create(cluster, **SETTINGS | {"namespace": "nowhere"})


def test_the_reaper_removes_what_no_capture_needs_and_nothing_else(cluster: Cluster) -> None:
    create(cluster, **SETTINGS)
    assert remove_leftovers(cluster, "podcap", "tests", lambda _: True) == ()
    assert agents(cluster) != []
    removed = remove_leftovers(cluster, "podcap", "tests", lambda capture_id: capture_id != "cap-agent")
    assert removed == ("cap-agent",)
    delete(cluster, "podcap", "cap-agent")
    assert agents(cluster) == []


def test_the_reaper_leaves_another_installations_agent_pods_alone(cluster: Cluster) -> None:
    create(cluster, **SETTINGS)
    assert remove_leftovers(cluster, "podcap", "others", lambda _: False) == ()
    assert agents(cluster) != []


def test_another_installations_agent_pod_of_the_same_name_is_not_taken_over(cluster: Cluster) -> None:
    create(cluster, **SETTINGS)
    with pytest.raises(ConflictError):
        create(cluster, **SETTINGS | {"owner": Owner("cap-agent", "others")})


def test_an_old_pods_uid_protects_the_new_one(cluster: Cluster) -> None:
    pod = create(cluster, **SETTINGS).pod
    with pytest.raises(ClusterError):
        cluster.delete_pod("podcap", pod.name, uid="00000000-0000-4000-8000-000000000000")
    assert cluster.pod("podcap", pod.name) == replace(pod, phase="Running")
