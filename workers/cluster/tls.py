"""TLS over a socket that is read in large blocks.

Python's own TLS socket asks the system twice for each record of at most 16 KiB, and hands out one record at a
time. An exec may carry gigabytes: reading many records at once takes less CPU (measured with OpenSSL 3.0: a
fifth less with blocks of 1 MiB than with 256 KiB). Of a block only what arrives at once takes memory.
"""

import mmap
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

_BLOCK_BYTES = 1 << 20

_T = TypeVar("_T")


class TlsSocket:
    """A client's connection, for one thread; what it raises is `OSError`, as of a socket.

    Args:
        sock: A connected socket; its timeout holds for every wait.
        context: How the server is trusted.
        server_hostname: What its certificate must say.

    Raises:
        OSError: The handshake fails.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        # Of a mapping only those pages take memory that were written to, of a bytearray all.
        self._block = memoryview(mmap.mmap(-1, _BLOCK_BYTES))
        self._over = False
        self._to_the_end(self._tls.do_handshake)

    def recv_into(self, buffer: memoryview | bytearray) -> int:
        """Fills as much of the buffer as what has arrived allows; 0 when nothing follows."""
        view = memoryview(buffer)
        while True:
            count = self._decrypted_into(view)
            if count or self._over or not self._fill():
                return count

    def recv(self, size: int) -> bytes:
        """At most so many bytes; none when nothing follows."""
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer)])

    def sendall(self, data: bytes) -> None:
        """Sends everything."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._to_the_end(lambda: self._tls.write(rest)) :]  # noqa: B023, called at once

    def send(self, data: bytes) -> int:
        """Sends everything; how much that is."""
        self.sendall(data)
        return len(data)

    def settimeout(self, seconds: float | None) -> None:
        """As a socket's."""
        self._socket.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """As a socket's."""
        return self._socket.gettimeout()

    def fileno(self) -> int:
        """The socket's."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """As a socket's."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def _decrypted_into(self, view: memoryview) -> int:
        at = 0
        try:
            while at < len(view):
                count = _read_into(self._tls, view[at:])
                if not count:
                    self._over = True
                    break
                at += count
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLZeroReturnError:
            self._over = True
        return at

    def _fill(self) -> bool:
        """Waits for more from the server; whether there is more."""
        count = self._socket.recv_into(self._block)
        self._incoming.write(self._block[:count])
        return bool(count)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def _to_the_end(self, step: Callable[[], _T]) -> _T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill():
                    raise ConnectionResetError("the server ended the connection") from None
            else:
                self._flush()
                return done


def _read_into(tls: ssl.SSLObject, room: memoryview) -> int:
    # Its type has only the form without a buffer (typeshed).
    count: Any = tls.read(len(room), room)  # type: ignore[arg-type,unused-ignore]
    return int(count)


class BlockwiseTls:
    """What websocket-client takes for a context: it only asks it to wrap a socket."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str | None, **_: Any) -> TlsSocket:
        """TLS over this socket, after its handshake."""
        return TlsSocket(sock, self._context, server_hostname)
