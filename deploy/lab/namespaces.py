"""Namespaces that live only as long as a process holds them: nothing is left by name."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_CLONE_NEWNET = 0x40000000

_T = TypeVar("_T")


def hold_network(unshare: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts the command line of a process in a new network and UTS namespace; returns when they exist.

    Args:
        unshare: The beginning of the command line: unshare(1) in its cgroup.
        log: Where its errors go.

    Raises:
        RuntimeError: The namespaces could not be made.
    """
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*unshare, "sh", "-c", "echo; exec sleep infinity >/dev/null"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    wait_for_line(process)
    return process


def wait_for_line(process: subprocess.Popen[bytes]) -> None:
    """Waits until the process has written a line to its standard output.

    Raises:
        RuntimeError: It ended first.
    """
    if process.stdout is None or not process.stdout.readline():
        raise RuntimeError(f"a process of the lab ended at once with {process.wait()}: {process.args!r}")


def in_network(process: int, argv: Sequence[str]) -> list[str]:
    """The command line that runs another one in a process's network and UTS namespace."""
    return ["nsenter", "--target", str(process), "--net", "--uts", "--", *argv]


def in_node(process: int, argv: Sequence[str]) -> list[str]:
    """The command line that runs another one in all namespaces of a node, given its first process."""
    namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
    return ["nsenter", "--target", str(process), *namespaces, "--root", "--wd", "--", *argv]


def inside_network(process: int, call: Callable[[], _T]) -> _T:
    """What a function returns that runs in the network namespace of a process; sockets it makes stay there.

    Raises:
        OSError: The process is gone, or may not be followed (setns(2)).
    """

    def run() -> _T:
        with Path(f"/proc/{process}/ns/net").open() as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return call()

    # A thread that has entered another namespace is of no use for anything else.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()


def configure(process: int, *lines: str) -> None:
    """Changes a process's network namespace with commands of ip(8).

    Raises:
        RuntimeError: One failed; the message has ip's own words.
    """
    done = subprocess.run(
        in_network(process, ["ip", "-batch", "-"]),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"ip failed: {done.stderr.strip()}")
