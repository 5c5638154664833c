"""From a container of a pod to the OCI runtime configuration that runs it: pure.

The format is the Open Container Initiative's runtime-spec; the values are the kubelet's and containerd's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.lab.kubelet.capabilities import DEFAULT, granted
from deploy.lab.kubelet.quantities import parse_bytes
from deploy.lab.kubelet.seccomp import runtime_default

_MASKED = (
    *(
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
    ),
    *("/proc/sched_debug", "/proc/scsi", "/sys/firmware"),
)
_READ_ONLY = ("/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_DEVICES = ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2))
"""null, zero, full, random, urandom, tty, ptmx"""


@dataclass(frozen=True)
class Bind:
    """A folder or file of the node that the container sees.

    Attributes:
        source: Its path on the node.
        target: Its path in the container.
    """

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What a container is put into.

    Attributes:
        rootfs: The path of its root file system.
        cgroup: The path of its cgroup below the node's root.
        hostname: None when it shares the node's.
        sandbox: The process whose network, IPC and UTS namespaces it joins; None for the sandbox itself.
        private_cgroup: Whether it gets a cgroup namespace of its own: so on cgroup v2, not on v1.
        memory_limit: Whether the node can limit memory.
        binds: What of the node it sees.
    """

    rootfs: str
    cgroup: str
    hostname: str | None
    sandbox: int | None
    private_cgroup: bool
    memory_limit: bool
    binds: Sequence[Bind]


def sandbox_config(pod: Mapping[str, Any], command: Sequence[str], around: Surroundings) -> dict[str, Any]:
    """The configuration of a pod's pause container, which holds the pod's namespaces."""
    spec = pod["spec"]
    config = _config(spec, around)
    config["process"] = {
        "user": {"uid": 65535, "gid": 65535},
        "args": list(command),
        "env": ["PATH=/usr/bin"],
        "cwd": "/",
        "capabilities": _capabilities(DEFAULT),
        "noNewPrivileges": True,
    }
    config["root"]["readonly"] = True
    return config


def container_config(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    process: Mapping[str, Any],
    around: Surroundings,
) -> dict[str, Any]:
    """The configuration of one container of a pod; `process` is what `process` made."""
    config = _config(pod["spec"], around)
    context = effective_security_context(pod["spec"], container)
    config["process"] = dict(process)
    config["root"]["readonly"] = bool(context.get("readOnlyRootFilesystem"))
    if (context.get("seccompProfile") or {}).get("type") == "RuntimeDefault":
        config["linux"]["seccomp"] = runtime_default(_plain(process))
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    if limit is not None and around.memory_limit:
        config["linux"]["resources"]["memory"] = {"limit": parse_bytes(limit)}
    return config


def process(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    args: Sequence[str],
    env: Sequence[str],
    available: Collection[str],
) -> dict[str, Any]:
    """The process part of a container's configuration, which is its exec'd processes' part, too.

    Args:
        pod: The Pod.
        container: The one of its containers.
        args: The command line.
        env: `NAME=VALUE` each.
        available: The capabilities that the runtime itself has.

    Raises:
        ValueError: A capability is unknown.
    """
    context = effective_security_context(pod["spec"], container)
    user = int(context.get("runAsUser") or 0)
    groups = {*(context.get("supplementalGroups") or ()), *_some(context.get("fsGroup"))}
    return {
        "terminal": False,
        "user": {
            "uid": user,
            "gid": int(context.get("runAsGroup") or 0),
            "additionalGids": sorted(groups),
        },
        "args": list(args),
        "env": list(env),
        "cwd": container.get("workingDir") or "/",
        "capabilities": _capabilities(granted(context, available)),
        "noNewPrivileges": context.get("allowPrivilegeEscalation") is False,
        "oomScoreAdj": 0,
    }


def effective_security_context(spec: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    """The container's securityContext over its pod's."""
    return {**(spec.get("securityContext") or {}), **(container.get("securityContext") or {})}


def _config(spec: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    config: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "root": {"path": around.rootfs, "readonly": False},
        "mounts": [*_SYSTEM_MOUNTS, *(_bind(one) for one in around.binds)],
        "linux": {
            "cgroupsPath": around.cgroup,
            "namespaces": _namespaces(spec, around),
            "maskedPaths": list(_MASKED),
            "readonlyPaths": list(_READ_ONLY),
            "resources": {"devices": _device_rules()},
        },
    }
    if around.hostname is not None and around.sandbox is None:
        config["hostname"] = around.hostname
    return config


def _namespaces(spec: Mapping[str, Any], around: Surroundings) -> list[dict[str, str]]:
    shared = {"ipc": True, "uts": not spec.get("hostNetwork"), "network": not spec.get("hostNetwork")}
    own = {"mount": True, "pid": not spec.get("hostPID"), "cgroup": around.private_cgroup}
    namespaces = [{"type": name} for name, wanted in own.items() if wanted]
    for name, wanted in shared.items():
        if wanted and around.sandbox is None:
            namespaces.append({"type": name})
        elif wanted:
            file = "net" if name == "network" else name
            namespaces.append({"type": name, "path": f"/proc/{around.sandbox}/ns/{file}"})
    return namespaces


def _mount(target: str, kind: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": source, "options": list(options)}


_SYSTEM_MOUNTS = (
    _mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
    _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    _mount(
        "/dev/pts",
        "devpts",
        "devpts",
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
        "gid=5",
    ),
    _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),  # noqa: S108 - the container's own
    _mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    _mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
)


def _bind(bind: Bind) -> dict[str, Any]:
    access = "ro" if bind.read_only else "rw"
    return _mount(bind.target, "bind", bind.source, "rbind", "rprivate", access)


def _device_rules() -> list[dict[str, Any]]:
    allowed = [
        {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
        for major, minor in _DEVICES
    ]
    terminals = {"allow": True, "type": "c", "major": 136, "access": "rwm"}
    return [{"allow": False, "access": "rwm"}, *allowed, terminals]


def _capabilities(names: Sequence[str]) -> dict[str, list[str]]:
    """None is inheritable: since CVE-2022-24769 no runtime makes them so."""
    return {kind: [f"CAP_{name}" for name in names] for kind in ("bounding", "effective", "permitted")}


def _plain(process: Mapping[str, Any]) -> list[str]:
    return [name.removeprefix("CAP_") for name in process["capabilities"]["bounding"]]


def _some(value: int | None) -> tuple[int, ...]:
    return () if value is None else (value,)
