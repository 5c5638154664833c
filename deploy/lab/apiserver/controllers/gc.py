"""Garbage: objects whose owners are gone, owners that wait for their dependents, old events."""

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.registry import Deletion
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import RESOURCES
from deploy.lab.apiserver.status import Object

_FOREGROUND = "foregroundDeletion"


def reconcile(cluster: Cluster) -> None:
    """Deletes what nobody owns any more."""
    everything = [
        (r, o) for r in RESOURCES if r.stored and r.plural != "events" for o in cluster.store.objects(r)
    ]
    by_uid = {item["metadata"]["uid"]: item for _, item in everything}
    waited_for = set()
    for resource, item in everything:
        owners = item["metadata"].get("ownerReferences", [])
        if not owners:
            continue
        alive = [by_uid[owner["uid"]] for owner in owners if owner["uid"] in by_uid]
        leaving = [owner for owner in alive if _FOREGROUND in owner["metadata"].get("finalizers", [])]
        waited_for |= {owner["metadata"]["uid"] for owner in leaving}
        if len(leaving) == len(alive):
            _delete(cluster, resource, item)
    for resource, item in everything:
        waits = _FOREGROUND in item["metadata"].get("finalizers", [])
        if waits and item["metadata"]["uid"] not in waited_for:
            _finish(cluster, resource, item)
    cluster.events.forget_old()


def _delete(cluster: Cluster, resource: Resource, item: Object) -> None:
    metadata = item["metadata"]
    if "deletionTimestamp" not in metadata:
        cluster.registry.delete(resource, metadata.get("namespace", ""), metadata["name"], Deletion())


def _finish(cluster: Cluster, resource: Resource, item: Object) -> None:
    left = [name for name in item["metadata"]["finalizers"] if name != _FOREGROUND]
    if left:
        cluster.store.change(resource, item, lambda one: one["metadata"].update(finalizers=left))
    else:
        cluster.registry.remove(resource, item)
