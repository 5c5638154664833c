"""Packets on standard output while they arrive, for `wireshark -k -i -`."""

import os
import select
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from workers.cut.stream import start_cutting

_STDOUT = 1
_PAUSE = 0.2
_BLOCK = 1 << 16
# Beyond the duration: starting, stopping, a slow reader.
_SPARE_SECONDS = 3600
_MOST = 1 << 30


class LiveOutput:
    """Follows the spool as it grows and writes it to standard output, cut to headers unless `full`.

    Args:
        full: Whether packets stay whole.
        seconds: The capture's duration.
        gone: Called once when nobody reads any more.
    """

    def __init__(self, *, full: bool, seconds: int, gone: Callable[[], None]) -> None:
        self._full = full
        self._seconds = seconds
        self._gone = gone
        self._whole = threading.Event()
        self._thread: threading.Thread | None = None
        self.read_to_the_end = False

    def follow(self, spool: Path) -> None:
        """Begins; the file may be empty still and removed later, it stays open here."""
        spool.touch()
        file = spool.open("rb")
        self._thread = threading.Thread(target=self._run, args=(file,), name="live output", daemon=True)
        self._thread.start()

    def finish(self) -> bool:
        """Waits until everything is written; whether it was read to its end."""
        self._whole.set()
        if self._thread is not None:
            self._thread.join()
        return self.read_to_the_end

    def _run(self, file: BinaryIO) -> None:
        with file:
            try:
                self._copy(file)
                self.read_to_the_end = True
            except BrokenPipeError:
                self._gone()

    def _copy(self, file: BinaryIO) -> None:
        if self._full:
            self._pour(file, _STDOUT)
            return
        child = start_cutting(_STDOUT, seconds=self._seconds + _SPARE_SECONDS, most=_MOST)
        try:
            if child.stdin is None:
                raise BrokenPipeError
            with child.stdin as into:
                self._pour(file, into.fileno())
            if child.wait() != 0:
                raise BrokenPipeError
        finally:
            _end(child)

    def _pour(self, file: BinaryIO, into: int) -> None:
        while True:
            last = self._whole.is_set()
            while block := file.read(_BLOCK):
                _write(into, block)
            if last:
                return
            if _nobody_reads(_STDOUT):
                raise BrokenPipeError
            self._whole.wait(_PAUSE)


def _write(into: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(into, rest) :]


def _nobody_reads(descriptor: int) -> bool:
    """Whether it is a pipe (or socket) whose other end is closed; seen also while no packet comes."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.kill()
    child.wait()
