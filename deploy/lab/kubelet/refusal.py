"""What this kubelet cannot honour: such a pod is refused with a sentence instead of run as something else."""

from collections.abc import Iterator, Mapping
from typing import Any

_UNSUPPORTED = "is not supported by the lab's kubelet"
_VOLUMES = ("emptyDir", "projected")


def refusal(pod: Mapping[str, Any]) -> str | None:
    """Why the pod cannot run here, or None."""
    return next(_reasons(pod["spec"]), None)


def _reasons(spec: Mapping[str, Any]) -> Iterator[str]:
    for field in ("initContainers", "ephemeralContainers", "hostIPC", "shareProcessNamespace", "hostUsers"):
        if spec.get(field):
            yield f"spec.{field} {_UNSUPPORTED}"
    for volume in spec.get("volumes") or ():
        kinds = set(volume) - {"name"}
        if not kinds <= set(_VOLUMES):
            yield f"volume {volume['name']!r}: {', '.join(sorted(kinds))} {_UNSUPPORTED}"
    for container in spec["containers"]:
        yield from _container_reasons(container)


def _container_reasons(container: Mapping[str, Any]) -> Iterator[str]:
    name = container["name"]
    if (container.get("securityContext") or {}).get("privileged"):
        yield f"container {name!r}: securityContext.privileged {_UNSUPPORTED}"
    if container.get("envFrom"):
        yield f"container {name!r}: envFrom {_UNSUPPORTED}"
    if container.get("startupProbe"):
        yield f"container {name!r}: startupProbe {_UNSUPPORTED}"
    for field in ("readinessProbe", "livenessProbe"):
        probe = container.get(field)
        if probe and not probe.keys() & {"tcpSocket", "httpGet"}:
            yield f"container {name!r}: {field} other than tcpSocket and httpGet {_UNSUPPORTED}"
