"""Which capabilities a container gets: the runtime's defaults, less `drop`, plus `add`."""

from collections.abc import Mapping
from typing import Any

DEFAULT = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""What containerd gives a container that asks for nothing."""

ALL = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN"),
    *("DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE"),
    *("NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN"),
    *("SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)
"""capabilities(7)."""


def granted(security_context: Mapping[str, Any]) -> tuple[str, ...]:
    """The names, sorted, without `CAP_`, that a container's securityContext leads to.

    `ALL` and names with or without `CAP_` mean what they mean to containerd. `drop` comes before `add`, so
    `drop: [ALL], add: [NET_RAW]` leaves exactly NET_RAW.

    Raises:
        ValueError: A name is no capability.
    """
    wanted = security_context.get("capabilities") or {}
    added, dropped = _names(wanted.get("add")), _names(wanted.get("drop"))
    return tuple(sorted((set(DEFAULT) - dropped) | added))


def _names(names: list[str] | None) -> set[str]:
    plain = {name.upper().removeprefix("CAP_") for name in names or ()}
    if "ALL" in plain:
        return set(ALL)
    unknown = plain - set(ALL)
    if unknown:
        raise ValueError(f"unknown capability: {', '.join(sorted(unknown))}")
    return plain
