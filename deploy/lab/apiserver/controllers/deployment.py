"""Deployments: one ReplicaSet for each pod template, and the move from the old ones to the newest."""

import copy
import json
import math

from deploy.lab.apiserver import times
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import claim, owner_reference
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.names import safely_encoded
from deploy.lab.apiserver.resources import DEPLOYMENTS, REPLICASETS
from deploy.lab.apiserver.status import Object

HASH_LABEL = "pod-template-hash"
_COMPONENT = "deployment-controller"
_REVISION = "deployment.kubernetes.io/revision"
_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619


def reconcile(cluster: Cluster) -> None:
    """Creates and scales ReplicaSets, writes the statuses."""
    for deployment in cluster.store.objects(DEPLOYMENTS):
        if "deletionTimestamp" not in deployment["metadata"]:
            _reconcile_one(cluster, deployment)


def _reconcile_one(cluster: Cluster, deployment: Object) -> None:
    owned = [
        one for one in claim(cluster, deployment, REPLICASETS) if "deletionTimestamp" not in one["metadata"]
    ]
    newest = _find(deployment, owned) or _create(cluster, deployment)
    old = [one for one in owned if one["metadata"]["uid"] != newest["metadata"]["uid"]]
    revision = max([_revision(one) for one in old], default=0) + 1
    _annotate(cluster, deployment, newest, max(revision, _revision(newest)))
    _scale(cluster, deployment, newest, old)
    every = claim(cluster, deployment, REPLICASETS)
    newest = next(one for one in every if one["metadata"]["uid"] == newest["metadata"]["uid"])
    cluster.store.change(DEPLOYMENTS, deployment, lambda one: _write_status(one, newest, every))


def _find(deployment: Object, owned: list[Object]) -> Object | None:
    """The ReplicaSet of the deployment's present template."""
    wanted = _without_hash(deployment["spec"]["template"])
    return next((one for one in owned if _without_hash(one["spec"]["template"]) == wanted), None)


def _without_hash(template: Object) -> Object:
    labels = {k: v for k, v in template["metadata"].get("labels", {}).items() if k != HASH_LABEL}
    return template | {"metadata": template["metadata"] | {"labels": labels}}


def template_hash(template: Object) -> str:
    """What a `pod-template-hash` looks like: FNV-1a over the template, in Kubernetes' alphabet."""
    value = _FNV_OFFSET
    for byte in json.dumps(template, sort_keys=True).encode():
        value = (value ^ byte) * _FNV_PRIME % 2**32
    return safely_encoded(str(value))


def _create(cluster: Cluster, deployment: Object) -> Object:
    spec, metadata = deployment["spec"], deployment["metadata"]
    digest = template_hash(spec["template"])
    template = copy.deepcopy(spec["template"])
    labels = template["metadata"].setdefault("labels", {})
    labels[HASH_LABEL] = digest
    selector = copy.deepcopy(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = digest
    return cluster.registry.create(
        REPLICASETS,
        metadata["namespace"],
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "labels": dict(labels),
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        },
    )


def _revision(item: Object) -> int:
    return int((item["metadata"].get("annotations") or {}).get(_REVISION, 0))


def _annotate(cluster: Cluster, deployment: Object, newest: Object, revision: int) -> None:
    wanted = deployment["spec"]["replicas"]
    notes = {
        _REVISION: str(revision),
        "deployment.kubernetes.io/desired-replicas": str(wanted),
        "deployment.kubernetes.io/max-replicas": str(wanted + _allowed(deployment)[0]),
    }

    def note(item: Object, words: dict[str, str]) -> None:
        item["metadata"]["annotations"] = (item["metadata"].get("annotations") or {}) | words

    cluster.store.change(REPLICASETS, newest, lambda one: note(one, notes))
    cluster.store.change(DEPLOYMENTS, deployment, lambda one: note(one, {_REVISION: str(revision)}))


def _allowed(deployment: Object) -> tuple[int, int]:
    """How many pods there may be above and below the wanted number while rolling."""
    strategy, wanted = deployment["spec"]["strategy"], deployment["spec"]["replicas"]
    if strategy["type"] == "Recreate":
        return 0, wanted
    rolling = strategy["rollingUpdate"]
    surge = _share(rolling["maxSurge"], wanted, up=True)
    unavailable = _share(rolling["maxUnavailable"], wanted, up=False)
    return surge, unavailable or (0 if surge else 1)


def _share(value: int | str, wanted: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * wanted / 100
    return math.ceil(exact) if up else math.floor(exact)


def _scale(cluster: Cluster, deployment: Object, newest: Object, old: list[Object]) -> None:
    wanted = deployment["spec"]["replicas"]
    surge, unavailable = _allowed(deployment)
    others = sum(one["spec"]["replicas"] for one in old)
    recreating = deployment["spec"]["strategy"]["type"] == "Recreate"
    still_there = sum(one.get("status", {}).get("replicas", 0) for one in old)
    if not (recreating and still_there):
        _set_replicas(cluster, deployment, newest, max(0, min(wanted, wanted + surge - others)))
    available = sum(one.get("status", {}).get("availableReplicas", 0) for one in [newest, *old])
    spare = others if recreating else max(0, available - (wanted - unavailable))
    for one in old:
        ready = one.get("status", {}).get("availableReplicas", 0)
        # Pods that do not work may go at once.
        broken = max(0, one["spec"]["replicas"] - ready)
        going = min(one["spec"]["replicas"], broken + min(spare, ready))
        spare -= max(0, going - broken)
        _set_replicas(cluster, deployment, one, one["spec"]["replicas"] - going)


def _set_replicas(cluster: Cluster, deployment: Object, replicaset: Object, count: int) -> None:
    before = replicaset["spec"]["replicas"]
    if before == count:
        return

    def edit(one: Object) -> None:
        one["spec"]["replicas"] = count
        one["metadata"]["generation"] += 1

    cluster.store.change(REPLICASETS, replicaset, edit)
    word = "up" if count > before else "down"
    name = replicaset["metadata"]["name"]
    message = f"Scaled {word} replica set {name} from {before} to {count}"
    cluster.events.record(deployment, News("Normal", "ScalingReplicaSet", message), _COMPONENT)


def _write_status(deployment: Object, newest: Object, every: list[Object]) -> None:
    def total(key: str) -> int:
        return sum(one.get("status", {}).get(key, 0) for one in every)

    counts = {
        "replicas": total("replicas"),
        "updatedReplicas": newest.get("status", {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
    }
    wanted = deployment["spec"]["replicas"]
    missing = wanted - counts["availableReplicas"]
    status: Object = {
        "observedGeneration": deployment["metadata"]["generation"],
        "terminatingReplicas": total("terminatingReplicas"),
        **{key: count for key, count in counts.items() if count},
    }
    if missing > 0:
        status["unavailableReplicas"] = missing
    before = deployment.get("status", {}).get("conditions", [])
    enough = counts["availableReplicas"] >= wanted - _allowed(deployment)[1]
    done = counts["updatedReplicas"] == wanted == counts["availableReplicas"] == counts["replicas"]
    status["conditions"] = [
        _condition(before, "Available", _available_words(enough)),
        _condition(before, "Progressing", _progress_words(newest["metadata"]["name"], done)),
    ]
    deployment["status"] = status


def _available_words(enough: bool) -> tuple[str, str, str]:
    if enough:
        return "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
    return "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."


def _progress_words(name: str, done: bool) -> tuple[str, str, str]:
    if done:
        return "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'
    return "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'


def _condition(before: list[Object], kind: str, words: tuple[str, str, str]) -> Object:
    status, reason, message = words
    new = {"type": kind, "status": status, "reason": reason, "message": message}
    old = next((one for one in before if one["type"] == kind), None)
    if old is not None and all(old[key] == value for key, value in new.items()):
        return old
    moved = times.now() if old is None or old["status"] != status else old["lastTransitionTime"]
    return new | {"lastUpdateTime": times.now(), "lastTransitionTime": moved}
