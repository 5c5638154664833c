"""The standard streams of an exec'd process: three pipes, or one terminal."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from deploy.lab.kubelet import pipes


class Streams:
    """This side and the process's side of its standard streams.

    Attributes:
        output: Where its output can be read; None when nobody wants it.
        errors: The same for its errors; with a terminal they are part of the output.
    """

    def __init__(self, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> None:
        self.output: FileIO | None = None
        self.errors: FileIO | None = None
        self._input: FileIO | None = None
        self._tty = tty
        self._theirs: list[FileIO] = []
        self._terminal = ""
        if tty:
            self._open_terminal()
            return
        null = FileIO(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), "r+")
        their_input = their_output = their_errors = null
        if stdin:
            their_input, self._input = pipes.pair()
        if stdout:
            self.output, their_output = pipes.pair()
        if stderr:
            self.errors, their_errors = pipes.pair()
        self._theirs = [their_input, their_output, their_errors, null]

    @contextmanager
    def theirs(self) -> Iterator[list[int | str]]:
        """What becomes the process's descriptors 0, 1 and 2; closed on this side afterwards."""
        try:
            yield [self._terminal] * 3 if self._tty else [file.fileno() for file in self._theirs[:3]]
        finally:
            for file in self._theirs:
                file.close()

    async def write(self, data: bytes) -> None:
        """Gives the process input; thrown away when it reads none or has closed it."""
        if self._input is not None and not self._input.closed:
            await pipes.write(self._input, data)

    def close_input(self) -> None:
        """The process reads an end of file. A terminal has none: it stays."""
        if self._input is not None and not self._tty:
            self._input.close()

    def resize(self, size: bytes, inner: Path | None) -> None:
        """Sets the terminal's size from `{"Width": columns, "Height": rows}`; nonsense is ignored.

        Args:
            size: As the client sent it.
            inner: The process's own terminal, once it has one. crun makes it from ours, and does not always
                hand on a size that is set later.
        """
        if self.output is None or not self._tty:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError, struct.error):
            wanted = json.loads(size)
            window = struct.pack("HHHH", wanted["Height"], wanted["Width"], 0, 0)
            fcntl.ioctl(self.output, termios.TIOCSWINSZ, window)
            if inner is not None:
                _set_window(inner, window)

    def close(self) -> None:
        """Closes this side. Nobody may be reading or writing it any more."""
        for file in (self._input, self.output, self.errors):
            if file is not None:
                file.close()

    def _open_terminal(self) -> None:
        own, theirs = pty.openpty()
        self._terminal = os.ttyname(theirs)
        self._theirs = [FileIO(theirs, "r+")]
        self.output = self._input = FileIO(own, "r+")


def _set_window(terminal: Path, window: bytes) -> None:
    with contextlib.suppress(OSError):  # the process has ended, or reads from elsewhere by now
        descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, termios.TIOCSWINSZ, window)
        finally:
            os.close(descriptor)
