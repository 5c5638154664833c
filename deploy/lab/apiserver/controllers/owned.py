"""What a workload owns, and the pods it makes from its template."""

import copy

from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.podstatus import is_active, is_ready
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import PODS
from deploy.lab.apiserver.selectors import of_object
from deploy.lab.apiserver.status import ApiError, Object


def owner_reference(owner: Object) -> Object:
    """A reference that makes an object the controller of another."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(item: Object) -> Object | None:
    """The reference to the object's controller."""
    references: list[Object] = item["metadata"].get("ownerReferences", [])
    return next((one for one in references if one.get("controller")), None)


def claim(cluster: Cluster, owner: Object, resource: Resource) -> list[Object]:
    """The objects of a resource that a workload owns. Those that match and have no controller are adopted."""
    matches = of_object(owner["spec"].get("selector"))
    owned = []
    for item in cluster.store.objects(resource, owner["metadata"]["namespace"]):
        controller = controller_of(item)
        if controller is not None:
            if controller["uid"] == owner["metadata"]["uid"]:
                owned.append(item)
        elif matches(item["metadata"].get("labels") or {}) and "deletionTimestamp" not in item["metadata"]:
            if resource is PODS and not is_active(item):
                continue
            owned.append(cluster.store.change(resource, item, lambda one: _adopt(one, owner)))
    return owned


def _adopt(item: Object, owner: Object) -> None:
    references = item["metadata"].get("ownerReferences", [])
    item["metadata"]["ownerReferences"] = [*references, owner_reference(owner)]


def pod_of(owner: Object, **metadata: str) -> Object:
    """A pod of the owner's template; `metadata` gives its `name` or `generateName`."""
    template = copy.deepcopy(owner["spec"]["template"])
    known = {
        key: template["metadata"][key] for key in ("labels", "annotations") if key in template["metadata"]
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, **known, "ownerReferences": [owner_reference(owner)]},
        "spec": template["spec"],
    }


def create_pod(cluster: Cluster, owner: Object, pod: Object, component: str) -> bool:
    """Creates a pod and says so in an event; false when it was refused."""
    try:
        made = cluster.registry.create(PODS, owner["metadata"]["namespace"], pod)
    except ApiError as refusal:
        news = News("Warning", "FailedCreate", f"Error creating: {refusal}")
        cluster.events.record(owner, news, component)
        return False
    news = News("Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    cluster.events.record(owner, news, component)
    return True


def delete_order(pod: Object) -> tuple[bool, bool, bool, str]:
    """Sorts what one can best do without to the front: without node, not running, not ready, newest."""
    running = pod.get("status", {}).get("phase") == "Running"
    newest_first = "".join(chr(255 - ord(c)) for c in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), running, is_ready(pod), newest_first
