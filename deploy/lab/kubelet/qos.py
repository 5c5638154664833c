"""A pod's quality-of-service class and the cgroup path that follows from it."""

from collections.abc import Mapping
from typing import Any

_RESOURCES = ("cpu", "memory")


def qos_class(spec: Mapping[str, Any]) -> str:
    """`Guaranteed`, `Burstable` or `BestEffort`, from the requests and limits of all containers."""
    resources = [container.get("resources") or {} for container in spec["containers"]]
    asked = [(one.get("requests") or {}, one.get("limits") or {}) for one in resources]
    if not any(requests or limits for requests, limits in asked):
        return "BestEffort"
    for requests, limits in asked:
        for name in _RESOURCES:
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                return "Burstable"
    return "Guaranteed"


def pod_cgroup(spec: Mapping[str, Any], uid: str) -> str:
    """The pod's cgroup below the node's root, as the kubelet's cgroupfs driver names it."""
    quality = qos_class(spec)
    parent = "/kubepods" if quality == "Guaranteed" else f"/kubepods/{quality.lower()}"
    return f"{parent}/pod{uid}"
