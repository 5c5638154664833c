"""The controllers on a store of their own, without kubelets: what they make of objects."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.lab.apiserver.controllers import (
    daemonset,
    deployment,
    endpointslice,
    gc,
    job,
    namespaces,
    replicaset,
    scheduler,
    statefulset,
)
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.names import suffix
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import (
    CLAIMS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    JOBS,
    NODES,
    PODS,
    REPLICASETS,
    SERVICES,
    STATEFULSETS,
)

ALL = (namespaces, deployment, replicaset, statefulset, daemonset, job, scheduler, endpointslice, gc)


def settle(cluster: Cluster) -> None:
    """Runs the controllers until nothing changes any more."""
    for _ in range(50):
        before = cluster.store.version
        for controller in ALL:
            controller.reconcile(cluster)
        if cluster.store.version == before:
            return
    pytest.fail("the controllers do not come to rest")


def make(cluster: Cluster, resource: Resource, name: str, **fields: Any) -> dict[str, Any]:
    value = {
        "apiVersion": resource.group_version,
        "kind": resource.kind,
        "metadata": {"name": name},
        **fields,
    }
    return cluster.registry.create(resource, "traefik" if resource.namespaced else "", value)


def workload(replicas: int = 2, image: str = "web:1", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80, "name": "http"}]}]
        },
    }
    return {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}


def pods(cluster: Cluster) -> list[dict[str, Any]]:
    return [pod for pod in cluster.store.objects(PODS) if "deletionTimestamp" not in pod["metadata"]]


def run(cluster: Cluster, ready: bool = True) -> None:
    """What kubelets would do: what is bound runs, what is deleted ends."""
    for number, pod in enumerate(cluster.store.objects(PODS)):
        if "deletionTimestamp" in pod["metadata"]:
            cluster.registry.remove(PODS, pod)
        elif "nodeName" in pod["spec"] and "podIP" not in pod["status"]:
            conditions = [
                *pod["status"].get("conditions", []),
                {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-11-23T08:44:10Z"},
            ]
            status = {"phase": "Running", "podIP": f"10.244.1.{number + 2}", "conditions": conditions}
            cluster.store.change(PODS, pod, lambda one, status=status: one["status"].update(status))


def reasons(cluster: Cluster) -> Counter[str]:
    return Counter(event["reason"] for event in cluster.store.objects(EVENTS))


def test_a_deployment_gets_its_pods_spread_over_the_nodes(cluster: Cluster) -> None:
    make(cluster, DEPLOYMENTS, "web", spec=workload(4))

    settle(cluster)

    assert Counter(pod["spec"]["nodeName"] for pod in pods(cluster)) == {"a": 2, "b": 2}
    assert reasons(cluster) == {"Scheduled": 4, "SuccessfulCreate": 4, "ScalingReplicaSet": 1}


def test_a_deleted_pod_is_replaced_under_another_name(cluster: Cluster) -> None:
    make(cluster, DEPLOYMENTS, "web", spec=workload(2))
    settle(cluster)
    first = {pod["metadata"]["name"] for pod in pods(cluster)}
    gone = min(first)

    cluster.registry.delete(PODS, "traefik", gone, Deletion())
    settle(cluster)

    now = {pod["metadata"]["name"] for pod in pods(cluster)}
    assert len(now) == 2
    assert gone not in now
    assert len(now & first) == 1


def test_a_pod_that_is_over_is_replaced_too(cluster: Cluster) -> None:
    make(cluster, DEPLOYMENTS, "web", spec=workload(1))
    settle(cluster)
    evicted = pods(cluster)[0]
    cluster.store.change(PODS, evicted, lambda one: one["status"].update(phase="Failed", reason="Evicted"))

    settle(cluster)

    assert len(pods(cluster)) == 2


def test_a_seeded_replicaset_and_pod_are_adopted_under_their_own_names(cluster: Cluster) -> None:
    spec = workload(1)
    labels = {"app": "web", "pod-template-hash": "845749dbd6"}
    template = spec["template"] | {"metadata": {"labels": labels}}
    kept = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    make(cluster, REPLICASETS, "web-845749dbd6", spec=kept)
    cluster.store.change(
        REPLICASETS,
        cluster.store.objects(REPLICASETS)[0],
        lambda one: one["metadata"].update(labels=labels),
    )
    pod = {"metadata": {"name": "web-845749dbd6-zcdjm", "labels": labels}, "spec": template["spec"]}
    cluster.registry.create(PODS, "traefik", {"apiVersion": "v1", "kind": "Pod"} | pod)
    make(cluster, DEPLOYMENTS, "web", spec=spec)

    settle(cluster)

    assert [one["metadata"]["name"] for one in cluster.store.objects(REPLICASETS)] == ["web-845749dbd6"]
    assert [one["metadata"]["name"] for one in pods(cluster)] == ["web-845749dbd6-zcdjm"]
    owner = pods(cluster)[0]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("ReplicaSet", "web-845749dbd6")


def test_a_new_template_rolls_without_going_below_what_must_be_available(cluster: Cluster) -> None:
    made = make(cluster, DEPLOYMENTS, "web", spec=workload(4))
    settle(cluster)
    run(cluster)
    settle(cluster)
    new = cluster.store.get(DEPLOYMENTS, "traefik", "web")
    assert new is not None

    def renew(one: dict[str, Any]) -> None:
        one["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
        one["metadata"]["generation"] += 1

    cluster.store.change(DEPLOYMENTS, made, renew)
    least, most = 99, 0
    for _ in range(20):
        settle(cluster)
        ready = [p for p in pods(cluster) if any(c["type"] == "Ready" for c in p["status"]["conditions"])]
        least, most = min(least, len(ready)), max(most, len(pods(cluster)))
        run(cluster)

    assert {pod["spec"]["containers"][0]["image"] for pod in pods(cluster)} == {"web:2"}
    assert len(pods(cluster)) == 4
    assert least >= 3
    assert most <= 5
    after = cluster.store.get(DEPLOYMENTS, "traefik", "web")
    assert after is not None
    assert after["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert [one["reason"] for one in after["status"]["conditions"]] == [
        "MinimumReplicasAvailable",
        "NewReplicaSetAvailable",
    ]


def test_recreate_ends_the_old_pods_before_it_makes_new_ones(cluster: Cluster) -> None:
    made = make(cluster, DEPLOYMENTS, "web", spec=workload(2, strategy={"type": "Recreate"}))
    settle(cluster)
    run(cluster)
    settle(cluster)

    def renew(one: dict[str, Any]) -> None:
        one["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"

    cluster.store.change(DEPLOYMENTS, made, renew)
    images = []
    for _ in range(6):
        settle(cluster)
        images.append({pod["spec"]["containers"][0]["image"] for pod in pods(cluster)})
        run(cluster)

    assert {"web:1", "web:2"} not in images
    assert images[-1] == {"web:2"}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_whatever_the_replicas_were_there_are_as_many_pods_as_wanted(
    cluster: Cluster, wanted: list[int]
) -> None:
    name = f"web-{suffix(8)}"
    labels = {"app": name}
    spec = workload(1)
    spec["selector"] = {"matchLabels": labels}
    spec["template"]["metadata"]["labels"] = labels
    made = make(cluster, DEPLOYMENTS, name, spec=spec)
    for count in wanted:
        cluster.store.change(DEPLOYMENTS, made, lambda one, count=count: one["spec"].update(replicas=count))
        settle(cluster)
        run(cluster)
    settle(cluster)

    mine = [pod for pod in pods(cluster) if pod["metadata"]["labels"].get("app") == name]
    assert len(mine) == wanted[-1]
    cluster.registry.delete(DEPLOYMENTS, "traefik", name, Deletion())
    settle(cluster)


def test_pods_that_fail_at_once_are_not_made_for_ever(cluster: Cluster) -> None:
    make(cluster, REPLICASETS, "bad", spec=workload(1))
    for _ in range(8):
        settle(cluster)
        for pod in pods(cluster):
            cluster.store.change(PODS, pod, lambda one: one["status"].update(phase="Failed"))

    assert len(pods(cluster)) == 4


def test_a_pod_whose_claim_has_no_volume_waits_and_says_so(cluster: Cluster) -> None:
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    make(cluster, CLAIMS, "captures", spec=storage)
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("captures", "missing")
    ]
    containers = [{"name": "main", "image": "web:1"}]
    for volume in volumes:
        make(cluster, PODS, volume["name"], spec={"containers": containers, "volumes": [volume]})

    settle(cluster)

    said = {event["message"] for event in cluster.store.objects(EVENTS)}
    assert said == {
        "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        'persistentvolumeclaim "missing" not found',
    }


@pytest.mark.parametrize(("phase", "kind", "made"), [("Succeeded", "Complete", 1), ("Failed", "Failed", 3)])
def test_a_job_runs_until_it_has_succeeded_or_failed_too_often(
    cluster: Cluster, phase: str, kind: str, made: int
) -> None:
    template = workload()["template"]
    template["spec"]["restartPolicy"] = "Never"
    make(cluster, JOBS, "once", spec={"backoffLimit": 2, "template": template})
    for _ in range(5):
        settle(cluster)
        for pod in pods(cluster):
            cluster.store.change(PODS, pod, lambda one: one["status"].update(phase=phase))

    (condition,) = cluster.store.objects(JOBS)[0]["status"]["conditions"]
    assert (condition["type"], len(pods(cluster))) == (kind, made)


def test_a_pod_that_fits_nowhere_waits_and_says_why(cluster: Cluster) -> None:
    spec = {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "web", "image": "web:1"}]}
    make(cluster, PODS, "picky", spec=spec)
    cluster.store.change(
        NODES,
        cluster.store.objects(NODES)[0],
        lambda one: one.update(spec={"taints": [{"key": "k", "effect": "NoSchedule"}]}),
    )

    settle(cluster)

    pod = pods(cluster)[0]
    condition = pod["status"]["conditions"][0]
    assert "nodeName" not in pod["spec"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "PodScheduled",
        "False",
        "Unschedulable",
    )
    assert condition["message"] == (
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) had untolerated taint {k: }."
    )
    assert reasons(cluster) == {"FailedScheduling": 1}

    cluster.store.change(
        NODES, cluster.store.objects(NODES)[1], lambda one: one["metadata"].update(labels={"disk": "ssd"})
    )
    settle(cluster)
    assert pods(cluster)[0]["spec"]["nodeName"] == "b"


def test_a_node_that_is_lost_gets_no_pods(cluster: Cluster) -> None:
    def lose(one: dict[str, Any]) -> None:
        one["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]

    cluster.store.change(NODES, cluster.store.objects(NODES)[0], lose)
    make(cluster, DEPLOYMENTS, "web", spec=workload(3))

    settle(cluster)

    assert {pod["spec"]["nodeName"] for pod in pods(cluster)} == {"b"}


def test_a_daemonset_has_a_pod_on_every_node_that_is_ready(cluster: Cluster) -> None:
    spec = workload()
    del spec["replicas"]
    make(cluster, DAEMONSETS, "web", spec=spec)
    settle(cluster)
    run(cluster)
    settle(cluster)

    assert sorted(pod["spec"]["nodeName"] for pod in pods(cluster)) == ["a", "b"]
    status = cluster.store.objects(DAEMONSETS)[0]["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)


def test_a_statefulset_makes_its_pods_one_after_the_other(cluster: Cluster) -> None:
    make(cluster, STATEFULSETS, "web", spec=workload(3, serviceName="web"))
    seen = []
    for _ in range(4):
        settle(cluster)
        seen.append([pod["metadata"]["name"] for pod in pods(cluster)])
        run(cluster)

    assert seen == [["web-0"], ["web-0", "web-1"], ["web-0", "web-1", "web-2"], ["web-0", "web-1", "web-2"]]


def test_an_endpointslice_follows_the_pods_that_are_ready(cluster: Cluster) -> None:
    make(cluster, DEPLOYMENTS, "web", spec=workload(2))
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    make(cluster, SERVICES, "web", spec={"selector": {"app": "web"}, "ports": ports})
    settle(cluster)
    empty = cluster.store.objects(ENDPOINTSLICES)[0]
    run(cluster)
    settle(cluster)
    full = cluster.store.objects(ENDPOINTSLICES)[0]
    cluster.store.change(
        PODS, pods(cluster)[0], lambda one: one["status"]["conditions"][-1].update(status="False")
    )
    settle(cluster)
    half = cluster.store.objects(ENDPOINTSLICES)[0]

    assert empty["endpoints"] == []
    assert [one["conditions"]["ready"] for one in full["endpoints"]] == [True, True]
    assert full["ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}]
    assert sorted(one["conditions"]["ready"] for one in half["endpoints"]) == [False, True]
    assert half["metadata"]["name"] == empty["metadata"]["name"]
    assert half["metadata"]["generation"] == 3


def test_a_services_slice_goes_with_it(cluster: Cluster) -> None:
    make(cluster, SERVICES, "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})
    settle(cluster)

    cluster.registry.delete(SERVICES, "traefik", "web", Deletion())
    settle(cluster)

    assert cluster.store.objects(ENDPOINTSLICES) == []


def test_orphans_stay_when_their_owner_goes(cluster: Cluster) -> None:
    make(cluster, DEPLOYMENTS, "web", spec=workload(2))
    settle(cluster)

    cluster.registry.delete(DEPLOYMENTS, "traefik", "web", Deletion(policy="Orphan"))
    settle(cluster)

    assert len(cluster.store.objects(REPLICASETS)) == 1
    assert len(pods(cluster)) == 2


def test_a_pod_that_is_refused_is_told_once_and_does_not_keep_the_controllers_awake(cluster: Cluster) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = cluster.store.objects(namespaces.NAMESPACES)[0]
    cluster.store.change(namespaces.NAMESPACES, namespace, lambda one: one["metadata"].update(labels=labels))
    make(cluster, DEPLOYMENTS, "web", spec=workload(2))

    for _ in range(3):
        for controller in ALL:
            controller.reconcile(cluster)

    assert pods(cluster) == []
    failed = [event for event in cluster.store.objects(EVENTS) if event["reason"] == "FailedCreate"]
    assert len(failed) <= 3
    assert 'violates PodSecurity "restricted:latest"' in failed[0]["message"]


def test_an_event_that_happens_again_counts_up(cluster: Cluster) -> None:
    pod = make(cluster, PODS, "web", spec={"containers": [{"name": "web", "image": "web:1"}]})

    for _ in range(3):
        cluster.events.record(pod, News("Warning", "BackOff", "Back-off"), "kubelet", "a")

    event = cluster.store.objects(EVENTS)[0]
    assert (event["count"], event["source"]) == (3, {"component": "kubelet", "host": "a"})
