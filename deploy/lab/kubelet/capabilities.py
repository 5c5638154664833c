"""Which capabilities a container gets: the runtime's defaults, less `drop`, plus `add`."""

from collections.abc import Collection, Mapping
from typing import Any

DEFAULT = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""What containerd gives a container that asks for nothing."""

ALL = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *(
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
    ),
    *(
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
    ),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL"),
    *("SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ"),
    *("PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
"""capabilities(7), in the order of the kernel's numbers (linux/capability.h)."""


def in_mask(mask: int) -> frozenset[str]:
    """The names of the capabilities in a mask such as that of CapEff in /proc/PID/status (proc(5))."""
    return frozenset(name for number, name in enumerate(ALL) if mask >> number & 1)


def granted(security_context: Mapping[str, Any], available: Collection[str] = ALL) -> tuple[str, ...]:
    """The names, sorted, without `CAP_`, that a container's securityContext leads to.

    `ALL` and names with or without `CAP_` mean what they mean to containerd. `drop` comes before `add`, so
    `drop: [ALL], add: [NET_RAW]` leaves exactly NET_RAW.

    Args:
        security_context: The container's.
        available: What `ALL` means: what the runtime itself has.

    Raises:
        ValueError: A name is no capability.
    """
    wanted = security_context.get("capabilities") or {}
    added, dropped = _names(wanted.get("add"), available), _names(wanted.get("drop"), ALL)
    return tuple(sorted((set(DEFAULT) - dropped) | added))


def _names(names: list[str] | None, every: Collection[str]) -> set[str]:
    plain = {name.upper().removeprefix("CAP_") for name in names or ()}
    if "ALL" in plain:
        return set(every)
    unknown = plain - set(ALL)
    if unknown:
        raise ValueError(f"unknown capability: {', '.join(sorted(unknown))}")
    return plain
