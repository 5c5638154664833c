"""One line of a terminal that is written anew, and lines that stand above it."""

import os
import threading
from contextlib import suppress
from typing import TextIO

_CLEAR = "\r\x1b[K"
_NARROWEST = 20
_USUAL = 80


class ProgressLine:
    """Standard error, shared by the threads of a command. A terminal that is gone is written to in vain.

    Args:
        stream: A terminal, or anything else; there only whole lines are written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._shown = ""
        self._lock = threading.Lock()

    def update(self, text: str) -> None:
        """Writes the line anew; nothing where there is no terminal."""
        if not self._live:
            return
        with self._lock:
            self._shown = text[: self._width() - 1]
            self._write(_CLEAR + self._shown)

    def passing(self, text: str) -> None:
        """What is done now: in the changing line, and in one of its own where nothing changes."""
        if self._live:
            self.update(text)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """A line that stays, above the one that changes."""
        with self._lock:
            clear = _CLEAR if self._shown else ""
            self._write(f"{clear}{text}\n{self._shown}")

    def end(self) -> None:
        """Takes the changing line away."""
        with self._lock:
            if self._shown:
                self._write(_CLEAR)
            self._shown = ""

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return _USUAL
        # Some terminals do not know, and say 0.
        return max(columns, _NARROWEST) if columns else _USUAL
