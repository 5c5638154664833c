"""Running a module of ours that reads packets, in a child process: packets are hostile input.

The child gets the file as its standard input, so that it needs no right to open it, an empty folder to stand
in, and nothing of this process's environment; it limits itself with `workers.summary.confine`. All it started
ends with this call.
"""

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
from pathlib import Path
from typing import IO

from workers.working_folder import working_folder

log = logging.getLogger(__name__)

_MOST_OUTPUT = 256 << 20
_MOST_COMPLAINTS = 4096
_READ = 1 << 16
_GRACE = 5
_PASSING = 0.25


def run_limited(
    module: str,
    arguments: Sequence[str],
    source: IO[bytes],
    *,
    seconds: int,
    inherited: Sequence[int] = (),
    passing: Callable[[int], None] = lambda _: None,
) -> tuple[bytes, str | None]:
    """Runs `python -m module` on a file until it ends.

    Args:
        module: The module's full name.
        arguments: Its arguments.
        source: The open file; the child reads it from where it stands.
        seconds: After which the child is ended, should it not have ended itself.
        inherited: Descriptors that the child gets besides, under the same numbers.
        passing: Called now and then with how far the child has read its file, in bytes.

    Returns:
        What it wrote, and why it did not end by itself and well, as the end of a sentence (None when it did).
    """
    with working_folder() as folder:
        folder.chmod(0o555)
        with _start(module, arguments, source, folder, inherited) as child:
            try:
                deadline = time.monotonic() + seconds + _GRACE
                # The child's standard input is this very open file, so that its offset is ours, too.
                output, late = _read(child, deadline, lambda: passing(_offset(source)))
            finally:
                # Before its exit status is fetched: until then the id of its group is nobody else's.
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
    return output, _failure(status, late=late, seconds=seconds)


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


def _read(child: subprocess.Popen[bytes], deadline: float, passing: Callable[[], None]) -> tuple[bytes, bool]:
    """What the child wrote until it closed its output, and whether it did not in time (or wrote on)."""
    output, complaints = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((child.stdout, output), (child.stderr, complaints)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(min(_PASSING, max(0.0, left)))
            if len(output) > _MOST_OUTPUT or (not ready and left <= 0):
                return bytes(output), True
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
    return bytes(output), False


def _failure(status: int, *, late: bool, seconds: int) -> str | None:
    if late or status in (-signal.SIGXCPU, -signal.SIGALRM):
        return f"reading the packets took longer than {seconds} s"
    if status < 0:
        return f"the process that reads the packets was ended by signal {-status}"
    return None if status == 0 else "the process that reads the packets failed"
