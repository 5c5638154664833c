"""A pod's status as the API shows it, from what its kubelet knows: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.lab.kubelet.qos import qos_class

_RUNNING, _WAITING, _TERMINATED = "running", "waiting", "terminated"


@dataclass
class ContainerState:
    """What the kubelet knows about one container.

    Attributes:
        container_id: 64 hexadecimal digits of its newest run; empty before the first.
        image_id: Empty until the image was found.
        state: As the API shows it: one of `waiting`, `running`, `terminated` with its fields.
        last_state: The same of the run before.
        passes_probes: Whether its readiness probe succeeds; true without one.
    """

    name: str
    image: str
    container_id: str = ""
    image_id: str = ""
    state: dict[str, Any] = field(default_factory=lambda: {_WAITING: {"reason": "ContainerCreating"}})
    last_state: dict[str, Any] = field(default_factory=dict)
    restart_count: int = 0
    passes_probes: bool = False

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return _RUNNING in self.state

    @property
    def ready(self) -> bool:
        """Whether it runs and passes its probes."""
        return self.running and self.passes_probes

    @property
    def exit_code(self) -> int | None:
        """Of its newest run, once that has ended."""
        terminated = self.state.get(_TERMINATED)
        return None if terminated is None else int(terminated["exitCode"])


@dataclass
class PodState:
    """What the kubelet knows about a pod.

    Attributes:
        start_time: When the kubelet took it, RFC 3339.
        addresses: Its addresses, the primary one first; empty until it has one.
        failed: Reason and message when the kubelet itself ended it, as by eviction or at its deadline.
        sandbox_ready: Whether its namespaces and network are there.
    """

    start_time: str
    host_address: str
    containers: Sequence[ContainerState]
    addresses: Sequence[str] = ()
    failed: tuple[str, str] | None = None
    sandbox_ready: bool = False


def phase(pod: Mapping[str, Any], state: PodState) -> str:
    """Pending, Running, Succeeded or Failed."""
    if state.failed is not None:
        return "Failed"
    codes = [container.exit_code for container in state.containers]
    policy = pod["spec"].get("restartPolicy", "Always")
    ended = [code for code in codes if code is not None]
    if len(ended) == len(codes) and policy != "Always":
        if not any(ended):
            return "Succeeded"
        if policy == "Never":
            return "Failed"
    if any(container.container_id for container in state.containers):
        return "Running"
    return "Pending"


def pod_status(
    pod: Mapping[str, Any], state: PodState, previous: Mapping[str, Any] | None, now: str
) -> dict[str, Any]:
    """The PodStatus.

    Args:
        pod: The Pod.
        state: What is known.
        previous: The status before this one: a condition that did not change keeps its time.
        now: RFC 3339.
    """
    current = phase(pod, state)
    status: dict[str, Any] = {
        "phase": current,
        "conditions": _conditions(state, current, previous, now),
        "hostIP": state.host_address,
        "hostIPs": [{"ip": state.host_address}],
        "startTime": state.start_time,
        "qosClass": qos_class(pod["spec"]),
        "containerStatuses": [_container_status(pod, container) for container in state.containers],
    }
    if state.addresses:
        status |= {"podIP": state.addresses[0], "podIPs": [{"ip": one} for one in state.addresses]}
    if state.failed is not None:
        status |= {"reason": state.failed[0], "message": state.failed[1]}
    return status


def _conditions(
    state: PodState, current: str, previous: Mapping[str, Any] | None, now: str
) -> list[dict[str, Any]]:
    unready = [container.name for container in state.containers if not container.ready]
    why: dict[str, str] = {}
    if current in {"Succeeded", "Failed"}:
        unready = [container.name for container in state.containers]
        why = {"reason": "PodCompleted" if current == "Succeeded" else "PodFailed"}
    elif unready:
        names = " ".join(unready)
        why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}
    before = {one["type"]: one for one in (previous or {}).get("conditions", ())}
    return [
        _condition("PodReadyToStartContainers", state.sandbox_ready, {}, before, now),
        _condition("Initialized", True, {}, before, now),
        _condition("Ready", not unready, why, before, now),
        _condition("ContainersReady", not unready, why, before, now),
        _condition("PodScheduled", True, {}, before, now),
    ]


def _condition(
    kind: str, holds: bool, why: Mapping[str, str], before: Mapping[str, Mapping[str, Any]], now: str
) -> dict[str, Any]:
    status = "True" if holds else "False"
    old = before.get(kind)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since, **why}


def _container_status(pod: Mapping[str, Any], container: ContainerState) -> dict[str, Any]:
    spec = next(one for one in pod["spec"]["containers"] if one["name"] == container.name)
    status: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "imageID": container.image_id,
        "state": container.state,
        "lastState": container.last_state,
        "ready": container.ready,
        "restartCount": container.restart_count,
        "started": container.running,
        "resources": spec.get("resources") or {},
    }
    if container.container_id:
        status["containerID"] = f"containerd://{container.container_id}"
    mounts = [
        {
            "name": mount["name"],
            "mountPath": mount["mountPath"],
            **({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {}),
        }
        for mount in spec.get("volumeMounts") or ()
    ]
    return status | ({"volumeMounts": mounts} if mounts else {})
