"""Namespaces that live only as long as a process holds them: nothing is left by name."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


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
