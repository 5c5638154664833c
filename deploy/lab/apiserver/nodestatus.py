"""A node's conditions and taints, by whether its kubelet answers. Pure."""

from deploy.lab.apiserver import times
from deploy.lab.apiserver.podstatus import set_condition
from deploy.lab.apiserver.status import Object

HEARTBEAT_SECONDS = 300.0
"""How often a kubelet that has nothing to say writes its node's status (Kubernetes' default)."""

_WELL = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
_UNREACHABLE = "node.kubernetes.io/unreachable"


def make_ready(node: Object) -> None:
    """What a kubelet that is well writes. Changes the node."""
    for kind, status, reason, message in _WELL:
        _write(node, kind, status, reason, message, times.now())
    _taint(node, ())


def make_unknown(node: Object) -> None:
    """What the node controller writes when nothing is heard of a kubelet. Changes the node."""
    known = {one["type"]: one for one in node.get("status", {}).get("conditions", [])}
    for kind, *_ in _WELL:
        heard = known.get(kind, {}).get("lastHeartbeatTime") or node["metadata"]["creationTimestamp"]
        message = "Kubelet stopped posting node status."
        _write(node, kind, "Unknown", "NodeStatusUnknown", message, heard)
    _taint(node, ("NoSchedule", "NoExecute"))


def _write(node: Object, kind: str, status: str, reason: str, message: str, heard: str) -> None:
    entry = {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": heard,
        "reason": reason,
        "message": message,
    }
    set_condition(node.setdefault("status", {}), entry)


def _taint(node: Object, effects: tuple[str, ...]) -> None:
    spec = node.setdefault("spec", {})
    known = {one["effect"]: one for one in spec.get("taints", []) if one["key"] == _UNREACHABLE}
    taints = [one for one in spec.pop("taints", []) if one["key"] != _UNREACHABLE]
    taints += [known.get(effect) or _new_taint(effect) for effect in effects]
    if taints:
        spec["taints"] = taints


def _new_taint(effect: str) -> Object:
    when = {"timeAdded": times.now()} if effect == "NoExecute" else {}
    return {"key": _UNREACHABLE, "effect": effect, **when}
