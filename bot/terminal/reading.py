"""How far a file is read, on one line of standard error, for files that take longer than half a second."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from bot.terminal.progress_line import ProgressLine
from workers.thread.words import bar, size

_QUIET_SECONDS = 0.5


class Passing(Protocol):
    """Is told now and then how many bytes have been read."""

    def __call__(self, done: int, /) -> None:
        """So many bytes."""


@contextmanager
def reading(path: Path, stream: TextIO) -> Iterator[Passing]:
    """Shows the line while the block runs; nothing where the stream is no terminal."""
    line, began, whole = ProgressLine(stream), time.monotonic(), path.stat().st_size

    def passing(done: int) -> None:
        if time.monotonic() - began >= _QUIET_SECONDS:
            left = "" if done < whole else ", putting together what was found"
            line.update(f"{bar(done, whole)} {size(min(done, whole))} of {size(whole)} read{left}")

    try:
        yield passing
    finally:
        line.end()
