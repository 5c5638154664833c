"""Whether what reads packets is compiled (docs/summary.md): by itself a summary does not tell."""

import hashlib
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

import workers
from bot.terminal.checks.result import Result, ok, warning
from workers.settings import Settings

_MODULE = "workers.summary.flows.counting"
"""That of every packet."""

_DIGESTS = Path("workers", "summary", f"compiled{EXTENSION_SUFFIXES[0]}.sha256")
"""Beside what was compiled in place: what its modules read like then."""


def compiled(settings: Settings) -> Iterator[Result]:  # noqa: ARG001, every check gets them
    """Python takes what is compiled, if it is there, however old it is."""
    module = find_spec(_MODULE)
    if module is None or module.origin is None or not module.origin.endswith(tuple(EXTENSION_SUFFIXES)):
        yield warning(
            "reading",
            "what reads packets is not compiled, so that summaries take five times as long: install gcc, "
            "libc6-dev and python3-dev, then podcap anew.",
        )
    elif changed := _changed(Path(workers.__file__).parents[1]):
        yield warning(
            "reading",
            f"what reads packets was compiled before {changed} changed, which therefore counts for nothing: "
            "run `sh deploy/install-in-place`.",
        )
    else:
        yield ok("reading", "what reads packets is compiled")


def _changed(root: Path) -> str:
    """A module that was compiled as it no longer is; empty where none was, or nobody wrote it down."""
    listed = root / _DIGESTS
    for line in listed.read_text().splitlines() if listed.exists() else ():
        digest, _, name = line.partition("  ")
        source = root / name
        if not source.exists() or hashlib.sha256(source.read_bytes()).hexdigest() != digest:
            return name
    return ""
