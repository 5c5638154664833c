"""ReplicaSets: as many pods as they say, no more."""

import time

from deploy.lab.apiserver import times
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import claim, create_pod, delete_order, pod_of
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.podstatus import is_active, is_ready
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resources import PODS, REPLICASETS
from deploy.lab.apiserver.status import Object

_COMPONENT = "replicaset-controller"
_FREE_FAILURES = 3
_LONGEST_PAUSE_SECONDS = 300


def reconcile(cluster: Cluster) -> None:
    """Creates missing pods, deletes surplus ones, writes the statuses."""
    for replicaset in cluster.store.objects(REPLICASETS):
        if "deletionTimestamp" not in replicaset["metadata"]:
            _reconcile_one(cluster, replicaset)


def _reconcile_one(cluster: Cluster, replicaset: Object) -> None:
    pods = claim(cluster, replicaset, PODS)
    active = [pod for pod in pods if is_active(pod)]
    wanted = replicaset["spec"]["replicas"]
    prefix = f"{replicaset['metadata']['name']}-"
    for _ in range(0 if _hammering(pods) else wanted - len(active)):
        if not create_pod(cluster, replicaset, pod_of(replicaset, generateName=prefix), _COMPONENT):
            break
    for pod in sorted(active, key=delete_order)[: max(0, len(active) - wanted)]:
        name = pod["metadata"]["name"]
        cluster.registry.delete(PODS, pod["metadata"]["namespace"], name, Deletion())
        cluster.events.record(
            replicaset, News("Normal", "SuccessfulDelete", f"Deleted pod: {name}"), _COMPONENT
        )
    pods = claim(cluster, replicaset, PODS)
    cluster.store.change(REPLICASETS, replicaset, lambda one: one.update(status=_status(one, pods)))


def _hammering(pods: list[Object]) -> bool:
    """Whether pods fail as soon as they are made.

    A real controller makes new ones at once, for ever; the lab's one machine has to be spared that.
    """
    failed = [pod["metadata"]["creationTimestamp"] for pod in pods if pod["status"].get("phase") == "Failed"]
    pause = min(_LONGEST_PAUSE_SECONDS, 2 ** len(failed))
    return len(failed) > _FREE_FAILURES and time.time() - times.parse(max(failed)).timestamp() < pause


def _status(replicaset: Object, pods: list[Object]) -> Object:
    active = [pod for pod in pods if is_active(pod)]
    ready = sum(1 for pod in active if is_ready(pod))
    counts = {
        "fullyLabeledReplicas": len(active),
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    return {
        "replicas": len(active),
        **{key: count for key, count in counts.items() if count},
        "terminatingReplicas": sum(1 for pod in pods if "deletionTimestamp" in pod["metadata"]),
        "observedGeneration": replicaset["metadata"]["generation"],
    }
