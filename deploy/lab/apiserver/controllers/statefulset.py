"""StatefulSets: pods with numbers, one after the other."""

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import claim, create_pod, pod_of
from deploy.lab.apiserver.podstatus import is_ready
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resources import PODS, STATEFULSETS
from deploy.lab.apiserver.status import Object

_COMPONENT = "statefulset-controller"


def reconcile(cluster: Cluster) -> None:
    """Creates the next pod when those before it are ready, deletes from the end, writes the statuses."""
    for statefulset in cluster.store.objects(STATEFULSETS):
        if "deletionTimestamp" not in statefulset["metadata"]:
            _reconcile_one(cluster, statefulset)


def _reconcile_one(cluster: Cluster, statefulset: Object) -> None:
    pods = {pod["metadata"]["name"]: pod for pod in claim(cluster, statefulset, PODS)}
    base, wanted = statefulset["metadata"]["name"], statefulset["spec"]["replicas"]
    in_order = statefulset["spec"]["podManagementPolicy"] == "OrderedReady"
    for number in range(wanted):
        name = f"{base}-{number}"
        if name not in pods:
            create_pod(cluster, statefulset, _pod(statefulset, name, number), _COMPONENT)
        if in_order and not (name in pods and is_ready(pods[name])):
            break
    surplus = sorted(
        (
            name
            for name in pods
            if _number(name) >= wanted and "deletionTimestamp" not in pods[name]["metadata"]
        ),
        key=_number,
    )
    for name in surplus[-1:] if in_order else surplus:
        cluster.registry.delete(PODS, statefulset["metadata"]["namespace"], name, Deletion())
    ready = sum(1 for pod in pods.values() if is_ready(pod))
    status = {
        "observedGeneration": statefulset["metadata"]["generation"],
        "replicas": len(pods),
        "currentReplicas": len(pods),
        "updatedReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    cluster.store.change(STATEFULSETS, statefulset, lambda one: one.update(status=status))


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _pod(statefulset: Object, name: str, number: int) -> Object:
    pod = pod_of(statefulset, name=name)
    labels = {"apps.kubernetes.io/pod-index": str(number), "statefulset.kubernetes.io/pod-name": name}
    pod["metadata"]["labels"] = pod["metadata"].get("labels", {}) | labels
    pod["spec"]["hostname"] = name
    if service := statefulset["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = service
    return pod
