"""The scheduler: gives each pod a node that is ready, allows it and has the fewest pods of its owner."""

from collections import Counter

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import controller_of
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.podstatus import condition, is_active, scheduled_condition, set_condition
from deploy.lab.apiserver.resources import CLAIMS, NODES, PODS
from deploy.lab.apiserver.status import Object

_NAME = "default-scheduler"


def reconcile(cluster: Cluster) -> None:
    """Binds every pod that waits for a node, or says why it cannot."""
    for pod in cluster.store.objects(PODS):
        waiting = not pod["spec"].get("nodeName") and is_active(pod)
        if waiting and pod["spec"].get("schedulerName") == _NAME:
            _schedule(cluster, pod)


def _schedule(cluster: Cluster, pod: Object) -> None:
    nodes = cluster.store.objects(NODES)
    if obstacle := _unbound_claim(cluster, pod):
        _refuse(cluster, pod, obstacle)
        return
    obstacles = {node["metadata"]["name"]: fits(pod["spec"], node) for node in nodes}
    free = [name for name, why in obstacles.items() if not why]
    if free:
        _bind(cluster, pod, _least_loaded(cluster, pod, free))
    else:
        _refuse(cluster, pod, _sentence(list(obstacles.values())))


def _unbound_claim(cluster: Cluster, pod: Object) -> str:
    """Nobody makes volumes here, as in a cluster without a storage class: a claim stays unbound."""
    for volume in pod["spec"].get("volumes", []):
        name = volume.get("persistentVolumeClaim", {}).get("claimName")
        if name is None:
            continue
        claim = cluster.store.get(CLAIMS, pod["metadata"]["namespace"], name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if claim.get("status", {}).get("phase") != "Bound":
            count = len(cluster.store.objects(NODES))
            return f"0/{count} nodes are available: pod has unbound immediate PersistentVolumeClaims."
    return ""


def fits(spec: Object, node: Object) -> str:
    """Why a pod of this spec cannot be on the node; empty when it can."""
    if node.get("spec", {}).get("unschedulable"):
        return "node(s) were unschedulable"
    for taint in node.get("spec", {}).get("taints", []):
        if taint["effect"] in {"NoSchedule", "NoExecute"} and not _tolerated(taint, spec):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if condition(node, "Ready") != "True":
        return "node(s) were not ready"
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def _tolerated(taint: Object, spec: Object) -> bool:
    return any(
        one.get("effect", "") in {"", taint["effect"]}
        and one.get("key", "") in {"", taint["key"]}
        and (one.get("operator") == "Exists" or one.get("value", "") == taint.get("value", ""))
        for one in spec.get("tolerations", [])
        # Tolerating a lost node for a while keeps a pod there; it does not put a new one there.
        if taint["effect"] != "NoExecute" or "tolerationSeconds" not in one
    )


def _least_loaded(cluster: Cluster, pod: Object, names: list[str]) -> str:
    others = [one for one in cluster.store.objects(PODS) if is_active(one)]
    owner = (controller_of(pod) or {}).get("uid")
    siblings = Counter(
        one["spec"].get("nodeName")
        for one in others
        if owner and (controller_of(one) or {}).get("uid") == owner
    )
    load = Counter(one["spec"].get("nodeName") for one in others)
    return min(names, key=lambda name: (siblings[name], load[name], name))


def _bind(cluster: Cluster, pod: Object, node: str) -> None:
    def edit(one: Object) -> None:
        one["spec"]["nodeName"] = node
        set_condition(one.setdefault("status", {}), scheduled_condition(one["metadata"].get("generation", 1)))

    bound = cluster.store.change(PODS, pod, edit)
    metadata = pod["metadata"]
    message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
    cluster.events.scheduled(bound, News("Normal", "Scheduled", message))


def _sentence(obstacles: list[str]) -> str:
    counted = sorted(f"{count} {why}" for why, count in Counter(obstacles).items())
    if not counted:
        return "no nodes available to schedule pods"
    return f"0/{len(obstacles)} nodes are available: {', '.join(counted)}."


def _refuse(cluster: Cluster, pod: Object, message: str) -> None:
    wanted = {
        "type": "PodScheduled",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "False",
        "lastProbeTime": None,
        "reason": "Unschedulable",
        "message": message,
    }
    known = pod.get("status", {}).get("conditions", [])
    if any(one["type"] == "PodScheduled" and one.get("message") == message for one in known):
        return
    cluster.store.change(PODS, pod, lambda one: set_condition(one["status"], wanted))
    cluster.events.scheduled(pod, News("Warning", "FailedScheduling", message), "Scheduling")
