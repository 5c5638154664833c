"""Looking at the processes of a summary while they run."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.hangs import HANGS
from tests.workers.summary import packets
from workers.summary.summarise import SummaryError, summarise
from workers.summary.summary import Summary

T = TypeVar("T")


class Waiting:
    """A summary whose file is a pipe: the child waits in it, and can be looked at, until `finish`."""

    def __init__(self, pipe: Path, *, seconds: int = 30) -> None:
        os.mkfifo(pipe)
        self.summary: Summary | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(pipe, seconds))
        self._thread.start()
        self._writer = pipe.open("wb", buffering=0)
        self._writer.write(packets.pcap([]))
        self.child = eventually(lambda: next(iter(children(b"workers.summary.child")), None))
        eventually(lambda: status(self.child).get("NoNewPrivs") == "1" or None)

    def _run(self, pipe: Path, seconds: int) -> None:
        try:
            self.summary = summarise(pipe, payload=False, seconds=seconds)
        except SummaryError as error:
            self.error = error

    def finish(self, more: bytes = b"") -> None:
        with contextlib.suppress(BrokenPipeError):
            self._writer.write(more)
        self._writer.close()
        self.join()

    def join(self) -> None:
        self._thread.join(HANGS)
        self._writer.close()
        assert not self._thread.is_alive()


def eventually(look: Callable[[], T | None]) -> T:
    """What `look` finds, once it does; a test that waits in vain fails on pytest's timeout."""
    while (found := look()) is None:
        time.sleep(0.01)
    return found


def children(word: bytes, parent: int | None = None) -> list[int]:
    """Processes with this word in their command line whose parent is this process (or `parent`)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word in (folder / "cmdline").read_bytes() and parent_of(int(folder.name)) == (
                parent or os.getpid()
            ):
                found.append(int(folder.name))
    return found


def status(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def parent_of(process: int) -> int:
    return int(status(process)["PPid"])


def runs(process: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return status(process)["State"][0] != "Z"
    except OSError:
        return False
