"""A pod as far as a capture needs it, read from the API's own JSON. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.request.quoting import inert


@dataclass(frozen=True)
class Port:
    """A port that a container of the pod declares."""

    number: int
    protocol: str
    name: str | None = None
    host: int | None = None


@dataclass(frozen=True)
class Pod:
    """One pod at one moment.

    Attributes:
        ips: Every address of the pod, the primary one first; a hostNetwork pod has its node's.
        containers: Container name to container id, without the runtime in front (`containerd://`).
        images: Container name to the image that it runs; by its digest, where the runtime knows one.
        deleting: It has been deleted and ends now.
        why: What Kubernetes says about its not running: reason and message, or "".
    """

    namespace: str
    name: str
    uid: str
    phase: str
    node: str | None = None
    ips: tuple[str, ...] = ()
    host_network: bool = False
    deleting: bool = False
    ready: bool = False
    started: str | None = None
    containers: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


def pod_from_json(pod: Mapping[str, Any]) -> Pod:
    """Reads a `v1.Pod` as the API returns it."""
    metadata, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    statuses = status.get("containerStatuses") or []
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        phase=status.get("phase", "Unknown"),
        node=spec.get("nodeName") or None,
        ips=_ips(status),
        host_network=bool(spec.get("hostNetwork")),
        deleting="deletionTimestamp" in metadata,
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
        started=status.get("startTime"),
        containers={
            c["name"]: c["containerID"].rpartition("//")[2] for c in statuses if c.get("containerID")
        },
        images={c["name"]: c.get("imageID") or c.get("image", "") for c in statuses},
        ports=_ports(spec),
        labels=metadata.get("labels") or {},
        why=_why(status),
    )


def _ips(status: Mapping[str, Any]) -> tuple[str, ...]:
    listed = tuple(entry["ip"] for entry in status.get("podIPs") or [] if entry.get("ip"))
    return listed or ((status["podIP"],) if status.get("podIP") else ())


def _ports(spec: Mapping[str, Any]) -> tuple[Port, ...]:
    # A sidecar is an init container with restartPolicy Always; its ports serve as long as the pod does.
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    return tuple(
        Port(port["containerPort"], port.get("protocol", "TCP"), port.get("name"), port.get("hostPort"))
        for container in [*(spec.get("containers") or []), *sidecars]
        for port in container.get("ports") or []
    )


def _why(status: Mapping[str, Any]) -> str:
    """The most telling of: the pod's own reason, a container that waits, a condition that fails."""
    candidates = [status]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        candidates += [state.get("waiting") or {}, state.get("terminated") or {}]
    candidates += [c for c in status.get("conditions") or [] if c.get("status") == "False"]
    telling = (c for c in candidates if c.get("reason") and c["reason"] not in _TELLS_NOTHING)
    best = next(telling, {})
    parts = (" ".join(str(best.get(key) or "").split()) for key in ("reason", "message"))
    # Its owner can write it (a container's termination message), and it goes into a Slack message.
    return inert(": ".join(part.rstrip(".") for part in parts if part), 300)


_TELLS_NOTHING = frozenset(
    {"ContainerCreating", "PodInitializing", "Completed", "ContainersNotReady", "ContainersNotInitialized"}
)
