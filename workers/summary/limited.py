"""Running a module of ours that reads packets, in a child process: packets are hostile input.

The child gets the file as its standard input, so that it needs no right to open it, an empty folder to stand
in, and nothing of this process's environment; it limits itself with `workers.summary.confine`. All it started
ends with this call.
"""

import errno
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workers.working_folder import working_folder

log = logging.getLogger(__name__)

_MOST_OUTPUT = 256 << 20
_MOST_COMPLAINTS = 4096
_READ = 1 << 16
_GRACE = 5
_PASSING = 0.25

OUT_OF_MEMORY = errno.ENOMEM
"""Exit status of a child that needs more memory than it may have."""

_FALLEN = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
"""How a child ends that finds no memory for a number: code compiled by mypyc does not look for each."""

_FULL = 31 / 32
"""Part of its memory that a child has mapped when the rest is too little for anything."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a child did not end by itself and well.

    Attributes:
        why: As the end of a sentence, which is what `str` gives.
        memory: Whether it needed more memory than it may have.
        fell: Whether it ended as a program with a fault does, or one without memory.
    """

    why: str
    memory: bool = False
    fell: bool = False

    def __str__(self) -> str:
        return self.why


def run_limited(
    module: str,
    arguments: Sequence[str],
    source: IO[bytes],
    *,
    seconds: int,
    memory: int,
    inherited: Sequence[int] = (),
    passing: Callable[[int], None] = lambda _: None,
) -> tuple[bytes, Failure | None]:
    """Runs `python -m module --seconds N --memory N` on a file until it ends.

    Args:
        module: The module's full name. It limits itself to these seconds and bytes with `confine`.
        arguments: Its other arguments.
        source: The open file; the child reads it from where it stands.
        seconds: Of time, CPU and wall, after which the child is ended, should it not have ended itself.
        memory: Bytes of address space it may have.
        inherited: Descriptors that the child gets besides, under the same numbers.
        passing: Called now and then with how far the child has read its file, in bytes.

    Returns:
        What it wrote, and why it did not end by itself and well (None when it did).
    """
    limits = ["--seconds", str(seconds), "--memory", str(memory)]
    with working_folder() as folder:
        folder.chmod(0o555)
        with _start(module, [*limits, *arguments], source, folder, inherited) as child:
            try:
                # The child's standard input is this very open file, so that its offset is ours, too.
                output, failure = _read(child, seconds, memory, lambda: passing(_offset(source)))
            finally:
                # Before its exit status is fetched: until then the id of its group is nobody else's.
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
    return output, failure or _failure(status, seconds, memory)


def _start(
    module: str, arguments: Sequence[str], source: IO[bytes], folder: Path, inherited: Sequence[int]
) -> subprocess.Popen[bytes]:
    tshark = shutil.which("tshark")
    return subprocess.Popen(  # noqa: S603, this interpreter and a module of our own
        # Isolated: neither the folder it stands in nor the environment says what it imports.
        [sys.executable, "-I", "-m", module, *arguments],
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        # tshark reads preferences in HOME, and 4.0 crashes where it may not look: there, there is nothing.
        env={
            "PATH": str(Path(tshark).parent) if tshark else os.defpath,
            "HOME": "/nonexistent",
            "LANG": "C.UTF-8",
        },
        start_new_session=True,
        pass_fds=inherited,
    )


def _offset(source: IO[bytes]) -> int:
    if not source.seekable():
        return 0  # a pipe does not say
    return os.lseek(source.fileno(), 0, os.SEEK_CUR)


def _read(
    child: subprocess.Popen[bytes], seconds: int, memory: int, passing: Callable[[], None]
) -> tuple[bytes, Failure | None]:
    """What the child wrote until it closed its output, or why it is listened to no more."""
    deadline = time.monotonic() + seconds + _GRACE
    output, complaints = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((child.stdout, output), (child.stderr, complaints)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(min(_PASSING, max(0.0, left)))
            if len(output) > _MOST_OUTPUT or (not ready and left <= 0):
                return bytes(output), _too_late(seconds)
            # CPython goes round in circles where an exception's way up itself finds no memory.
            if _mapped(child.pid) > memory * _FULL:
                return bytes(output), _too_much(memory)
            passing()
            for key, _ in ready:
                data = os.read(key.fd, _READ)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.data is output:
                    output += data
                else:
                    complaints += data[: _MOST_COMPLAINTS - len(complaints)]
    if complaints:
        log.warning("the child complained: %r", bytes(complaints).decode(errors="replace"))
    return bytes(output), None


def _mapped(process: int) -> int:
    """Bytes of its address space; 0 where nobody says."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[0]) * _PAGE
    except (OSError, IndexError):
        return 0


def _failure(status: int, seconds: int, memory: int) -> Failure | None:
    if status == 0:
        return None
    if status in (-signal.SIGXCPU, -signal.SIGALRM):
        return _too_late(seconds)
    if status == OUT_OF_MEMORY:
        return _too_much(memory)
    if status < 0:
        why = f"the process that reads the packets was ended by signal {-status}"
        return Failure(why, fell=status in _FALLEN)
    return Failure("the process that reads the packets failed")


def _too_late(seconds: int) -> Failure:
    return Failure(f"reading the packets took longer than {seconds} s")


def _too_much(memory: int) -> Failure:
    return Failure(f"it needs more than {memory // 1_000_000:,} MB of memory", memory=True)
