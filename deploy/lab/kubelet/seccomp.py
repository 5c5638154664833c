"""The system-call filter of `seccompProfile: RuntimeDefault`.

containerd's profile lists what is allowed; this one lists what that leaves out and a kernel of today has, so
that the same calls answer EPERM (or ENOSYS) here. Some come back with the capability that guards them.
"""

from collections.abc import Collection
from typing import Any

_NEVER = (
    *(
        "add_key",
        "keyctl",
        "request_key",
        "userfaultfd",
        "vmsplice",
        "uselib",
        "ustat",
        "sysfs",
        "nfsservctl",
    ),
    *("get_kernel_syms", "query_module", "create_module", "vm86", "vm86old", "swapon", "swapoff"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "pivot_root", "kexec_file_load", "kexec_load"),
)
_GUARDED = {
    "SYS_ADMIN": (
        *("bpf", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie", "mount"),
        *("mount_setattr", "move_mount", "open_tree", "perf_event_open", "quotactl", "quotactl_fd"),
        *("setdomainname", "sethostname", "setns", "umount", "umount2", "unshare"),
    ),
    "BPF": ("bpf",),
    "PERFMON": ("perf_event_open",),
    "SYS_BOOT": ("reboot",),
    "SYS_CHROOT": ("chroot",),
    "SYS_MODULE": ("delete_module", "init_module", "finit_module"),
    "SYS_PACCT": ("acct",),
    "SYS_RAWIO": ("iopl", "ioperm"),
    "SYS_TIME": ("settimeofday", "stime", "clock_settime", "clock_settime64"),
    "SYS_TTY_CONFIG": ("vhangup",),
    "SYS_NICE": ("get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node", "move_pages"),
    "DAC_READ_SEARCH": ("open_by_handle_at",),
    "SYSLOG": ("syslog",),
}
_NEW_NAMESPACE = (
    *(0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000),  # mount, cgroup, UTS, IPC
    *(0x1000_0000, 0x2000_0000, 0x4000_0000),  # user, PID, network
)
"""clone(2)'s flags."""
_ENOSYS = 38
_EPERM = 1


def runtime_default(capabilities: Collection[str]) -> dict[str, Any]:
    """The `linux.seccomp` part of an OCI configuration for a container with these capabilities."""
    allowed = {call for name in capabilities for call in _GUARDED.get(name, ())}
    denied = sorted({*_NEVER, *(call for calls in _GUARDED.values() for call in calls)} - allowed)
    rules: list[dict[str, Any]] = [_refusal(denied, _EPERM)]
    if "SYS_ADMIN" not in capabilities:
        rules += [_refusal(["clone"], _EPERM, flag) for flag in _NEW_NAMESPACE]
        rules.append(_refusal(["clone3"], _ENOSYS))  # its flags lie in memory, where no filter sees them
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}


def _refusal(names: list[str], error: int, flag: int | None = None) -> dict[str, Any]:
    """Answers the calls with an error, or only those whose first argument has a flag."""
    rule: dict[str, Any] = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error}
    if flag is not None:
        rule["args"] = [{"index": 0, "value": flag, "valueTwo": flag, "op": "SCMP_CMP_MASKED_EQ"}]
    return rule
