"""Taking from this process what reading hostile packets does not need. What it starts inherits all of it.

It is done inside the process, once its code is loaded, and not between fork and exec: the code may lie where
only the user who started it can read, and a worker with threads can run nothing safely between the two.
"""

import ctypes
import os
import resource
import select
import signal

from workers.request.compile_child import leave_network

NOBODY = 65_534
"""The overflow user and group (proc_sys_kernel(5)): owns nothing, whatever the password file says."""

_OPEN_FILES = 64
# Counted over all processes of the user, in other containers, too: only there against a flood.
_PROCESSES = 4096

# linux/prctl.h
_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38


def confine(*, seconds: int, memory: int, written: int = 0) -> None:
    """Gives up privileges, network, and all but a bounded part of time, memory and files, for good.

    Args:
        seconds: Of CPU time for each process, and of wall time for this one.
        memory: Bytes of address space for each process.
        written: The most bytes any file may get by it.

    Raises:
        OSError: Privileges could not be given up.
    """
    privileged = os.geteuid() == 0
    limits = {
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: written,
        resource.RLIMIT_CORE: 0,
    }
    if privileged:
        limits[resource.RLIMIT_NPROC] = _PROCESSES
    for what, most in limits.items():
        hard = resource.getrlimit(what)[1]
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # At the hard limit of CPU time a process is killed without a word, at the soft one with SIGXCPU.
        soft = max(1, lower - 1) if what == resource.RLIMIT_CPU else lower
        resource.setrlimit(what, (soft, lower))
    os.umask(0o077)
    if privileged:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)
    # Changing the user clears it, so it comes after: no worker, no child.
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    _end_if_nobody_reads()  # the parent died before that
    leave_network()
    signal.alarm(seconds + 1)


def end_with(parent: int) -> None:
    """For what this process starts, between fork and exec: it is killed when `parent`, its parent, dies."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _end_if_nobody_reads() -> None:
    output = select.poll()
    output.register(1, 0)
    if any(event & select.POLLERR for _, event in output.poll(0)):
        os.kill(os.getpid(), signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
