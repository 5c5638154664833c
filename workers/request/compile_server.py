"""The process that compiles filters, started once for many: the start of a Python is what takes long."""

import atexit
import socket
import subprocess
import sys
import threading
from pathlib import Path

_BLOCK = 1 << 16
# Its socket is closed a moment before it can be waited for.
_DYING_SECONDS = 0.2


class CompileServer:
    """Runs `compile_child`; safe to share between threads.

    The process ends when this one does, however that ends, because then its socket is closed.

    Args:
        child: The file it runs.
    """

    def __init__(self, child: Path) -> None:
        self._child = child
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        atexit.register(self.end)

    def ask(self, question: bytes, seconds: float) -> bytes:
        """The answer to one question; empty when compiling took more than it may.

        Raises:
            TimeoutError: There is none after so many seconds.
        """
        said = self._try(question, seconds)
        # Somebody may have killed it; whatever a filter does, it does in a fork.
        return said or (b"" if self._is_alive() else self._try(question, seconds))

    def end(self) -> None:
        """Ends it; the next question starts it again."""
        with self._lock:
            self._end()

    def _try(self, question: bytes, seconds: float) -> bytes:
        ours, theirs = socket.socketpair()
        said = bytearray()
        with ours:
            ours.settimeout(seconds)
            try:
                with theirs:
                    self._hand(theirs)
                ours.sendall(question)
                ours.shutdown(socket.SHUT_WR)
                while block := ours.recv(_BLOCK):
                    said += block
            except (ConnectionResetError, BrokenPipeError):
                return b""
            except TimeoutError:
                self.end()
                raise
        return bytes(said)

    def _hand(self, end: socket.socket) -> None:
        with self._lock:
            if self._socket is None or self._process is None or self._process.poll() is not None:
                self._end()
                self._socket = self._start()
            socket.send_fds(self._socket, [b"?"], [end.fileno()])

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603, our own interpreter and file
                [sys.executable, "-I", "-S", str(self._child)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                # Ctrl-C at a terminal is not for it.
                start_new_session=True,
            )
        return ours

    def _is_alive(self) -> bool:
        with self._lock:
            if self._process is None:
                return False
            try:
                self._process.wait(_DYING_SECONDS)
            except subprocess.TimeoutExpired:
                return True
            return False

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None
