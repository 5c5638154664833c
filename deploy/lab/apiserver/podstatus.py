"""A pod's status as its kubelet reports it, joined to what the API server knows. Pure."""

from deploy.lab.apiserver import times
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.status import Object

TERMINAL = frozenset({"Succeeded", "Failed"})
_PULL_FAILED = frozenset({"ErrImagePull", "ErrImageNeverPull"})


def is_ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is true."""
    return condition(pod, "Ready") == "True"


def is_active(pod: Object) -> bool:
    """Whether the pod runs or will run: neither over nor being deleted."""
    over = pod.get("status", {}).get("phase") in TERMINAL
    return not over and "deletionTimestamp" not in pod["metadata"]


def condition(holder: Object, kind: str) -> str:
    """The status of a condition; empty when there is none."""
    conditions = holder.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == kind), "")


def set_condition(status: Object, new: Object) -> None:
    """Puts a condition into a status. Its transition time moves only when its status changes."""
    conditions = [dict(one) for one in status.get("conditions", [])]
    old = next((one for one in conditions if one["type"] == new["type"]), None)
    if old is None:
        conditions.append({"lastTransitionTime": times.now()} | new)
    else:
        moved = {} if old["status"] == new["status"] else {"lastTransitionTime": times.now()}
        kept = {key: old[key] for key in ("lastProbeTime", "lastTransitionTime") if key in old}
        old.clear()
        old.update(kept | new | moved)
    status["conditions"] = conditions


def scheduled_condition(generation: int) -> Object:
    """The condition of a pod that has its node."""
    return {
        "type": "PodScheduled",
        "observedGeneration": generation,
        "status": "True",
        "lastProbeTime": None,
    }


def merged(pod: Object, reported: Object) -> Object:
    """The pod's status after its kubelet reported one. A pod that is over stays as it is."""
    old = pod.get("status", {})
    if old.get("phase") in TERMINAL and reported.get("phase") != old["phase"]:
        return dict(old)
    generation = pod["metadata"].get("generation", 1)
    status = {"observedGeneration": generation, "qosClass": old.get("qosClass", "BestEffort")} | reported
    status["conditions"] = [
        {"observedGeneration": generation, "lastProbeTime": None} | one
        for one in reported.get("conditions", [])
    ]
    if not any(one["type"] == "PodScheduled" for one in status["conditions"]):
        known = [one for one in old.get("conditions", []) if one["type"] == "PodScheduled"]
        status["conditions"] += [one for one in known if one["status"] == "True"]
    if not any(one["type"] == "PodScheduled" for one in status["conditions"]):
        set_condition(status, scheduled_condition(generation))
    return status


def waiting(pod: Object, reason: str, message: str) -> Object:
    """The status of a pod whose containers cannot be made yet."""
    state = {"waiting": {"reason": reason, "message": message}}
    still = {"ready": False, "started": False, "restartCount": 0, "imageID": "", "lastState": {}}
    containers = [
        {"name": one["name"], "image": one["image"], "state": state, **still}
        for one in pod["spec"]["containers"]
    ]
    return dict(pod.get("status", {})) | {"phase": "Pending", "containerStatuses": containers}


def news(pod: Object, before: Object, after: Object) -> list[News]:
    """What a kubelet would write events about when a pod's status changes."""
    found: list[News] = []
    images = {one["name"]: one["image"] for one in pod["spec"]["containers"]}
    known = {one["name"]: one for one in before.get("containerStatuses", [])}
    for one in after.get("containerStatuses", []):
        path = f"spec.containers{{{one['name']}}}"
        found += _container(one, known.get(one["name"], {}), images.get(one["name"], ""), path)
    reason = after.get("reason", "")
    if reason and reason != before.get("reason"):
        kind = "Normal" if reason == "DeadlineExceeded" else "Warning"
        found.append(News(kind, reason, after.get("message", "")))
    return found


def _container(now: Object, old: Object, image: str, path: str) -> list[News]:
    if now.get("containerID") and now.get("containerID") != old.get("containerID"):
        pulled = f'Container image "{image}" already present on machine and can be accessed by the pod'
        return [
            News("Normal", "Pulled", pulled, path),
            News("Normal", "Created", "Container created", path),
            News("Normal", "Started", "Container started", path),
        ]
    waiting = now.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    if not reason or reason == old.get("state", {}).get("waiting", {}).get("reason"):
        return []
    if reason in _PULL_FAILED:
        failed = f'Failed to pull image "{image}": {waiting.get("message", "")}'
        return [News("Warning", "Failed", failed, path), News("Warning", "Failed", f"Error: {reason}", path)]
    if reason == "ImagePullBackOff":
        return [News("Normal", "BackOff", f'Back-off pulling image "{image}"', path)]
    if reason == "CrashLoopBackOff":
        return [News("Warning", "BackOff", f"Back-off restarting failed container {now['name']}", path)]
    return []
