"""The programs on this machine that podcap runs."""

import shutil
import subprocess
from collections.abc import Iterator

from bot.terminal.checks.result import Result, ok, problem, unset
from workers.request.capture_filter import CompilerError, FilterError, check
from workers.settings import Settings

_SECONDS = 60


def programs(settings: Settings) -> Iterator[Result]:  # noqa: ARG001, every check gets them
    """Tshark reads what was said in HTTP, DNS and TLS, libpcap compiles filters; dumpcap is the node's."""
    version = _version("tshark")
    if version is None:
        yield problem("tshark", "does not run here: install Debian's package tshark, for HTTP, DNS and TLS.")
    else:
        yield ok("tshark", version)
    dumpcap = _version("dumpcap")
    yield ok("dumpcap", dumpcap) if dumpcap else unset("dumpcap", "not needed: packets are taken on nodes")
    try:
        check("tcp port 80")
    except (CompilerError, FilterError) as error:
        yield problem("filters", f"cannot be compiled: install libpcap (package libpcap0.8). {error}")
    else:
        yield ok("filters", "libpcap compiles them")


def _version(program: str) -> str | None:
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603, the program found by its name
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return (done.stdout.splitlines() or [""])[0].partition(" (Git")[0].rstrip(".")
