"""The subresource `scale`: how many replicas there are and shall be, whatever the kind (`kubectl scale`)."""

import copy

from deploy.lab.apiserver.printers import labels
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object

SCALE = Resource("scales", "Scale", "V1Scale", group="autoscaling", verbs=())
"""A Scale as a kind; it has no objects of its own."""


def of(workload: Object) -> Object:
    """The Scale of a workload."""
    metadata = workload["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = workload["spec"]["selector"].get("matchLabels")
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.group_version,
        "metadata": {key: metadata[key] for key in kept},
        "spec": {"replicas": workload["spec"]["replicas"]},
        "status": {
            "replicas": workload.get("status", {}).get("replicas", 0),
            "selector": labels(selector) if selector else "",
        },
    }


def applied(workload: Object, scale: Object) -> Object:
    """The workload with the replicas that a Scale asks for."""
    scaled = copy.deepcopy(workload)
    scaled["spec"]["replicas"] = scale.get("spec", {}).get("replicas", 0)
    if version := scale["metadata"].get("resourceVersion"):
        scaled["metadata"]["resourceVersion"] = version
    return scaled
