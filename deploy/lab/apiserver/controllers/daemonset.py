"""DaemonSets: one pod on every node that its template fits."""

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import claim, create_pod, pod_of
from deploy.lab.apiserver.controllers.scheduler import fits
from deploy.lab.apiserver.podstatus import is_active, is_ready
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resources import DAEMONSETS, NODES, PODS
from deploy.lab.apiserver.status import Object

_COMPONENT = "daemonset-controller"
_CONDITIONS = ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")


def reconcile(cluster: Cluster) -> None:
    """Creates missing pods, deletes those on nodes that no longer fit, writes the statuses."""
    for daemonset in cluster.store.objects(DAEMONSETS):
        if "deletionTimestamp" not in daemonset["metadata"]:
            _reconcile_one(cluster, daemonset)


def _reconcile_one(cluster: Cluster, daemonset: Object) -> None:
    fitting = {
        node["metadata"]["name"]
        for node in cluster.store.objects(NODES)
        if not fits(daemonset["spec"]["template"]["spec"], node)
    }
    active = [pod for pod in claim(cluster, daemonset, PODS) if is_active(pod)]
    covered = {pod["spec"].get("nodeName") for pod in active}
    for node in sorted(fitting - covered):
        if not create_pod(cluster, daemonset, _pod(daemonset, node), _COMPONENT):
            break
    pods = [pod for pod in claim(cluster, daemonset, PODS) if is_active(pod)]
    for pod in pods:
        if not _node_exists(cluster, pod):
            cluster.registry.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], Deletion())
    ready = sum(1 for pod in pods if is_ready(pod))
    status = {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": len(fitting),
        "numberAvailable": ready,
        "numberMisscheduled": 0,
        "numberReady": ready,
        "observedGeneration": daemonset["metadata"]["generation"],
        "updatedNumberScheduled": len(pods),
    }
    cluster.store.change(DAEMONSETS, daemonset, lambda one: one.update(status=status))


def _node_exists(cluster: Cluster, pod: Object) -> bool:
    return cluster.store.get(NODES, "", pod["spec"]["nodeName"]) is not None


def _pod(daemonset: Object, node: str) -> Object:
    pod = pod_of(daemonset, generateName=f"{daemonset['metadata']['name']}-")
    pod["spec"]["nodeName"] = node
    tolerations = pod["spec"].setdefault("tolerations", [])
    tolerations += [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute"}
        for name in ("not-ready", "unreachable")
    ]
    tolerations += [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoSchedule"}
        for name in _CONDITIONS
    ]
    return pod
