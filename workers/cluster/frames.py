"""WebSocket frames (RFC 6455), read straight from a socket into one buffer that is used again.

An exec may carry gigabytes; the usual clients copy every byte several times or keep all of it. Here a message
is handed out in pieces as they lie in the buffer, so memory stays flat however long a frame is.
"""

import mmap
import os
import socket
import struct
from collections.abc import Callable

from workers.cluster.tls import TlsSocket

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FINAL = 0x80
_RESERVED = 0x70
_MASKED = 0x80
_LENGTH_16, _LENGTH_64 = 126, 127
_CONTROL_LIMIT = 125
_BUFFER_BYTES = 1 << 18


class FrameError(Exception):
    """The peer does not speak the protocol, or closed the connection in the middle."""


class Closed(Exception):  # noqa: N818  (an ordinary end, not a fault)
    """The peer's close frame came: nothing follows."""


class Frames:
    """The frames of one connection after its handshake.

    A message's first byte is its channel (Kubernetes' `v4.channel.k8s.io` and `v5.channel.k8s.io`).

    Args:
        sock: A connected socket with a timeout set, or TLS over it.
        on_wait: Called whenever the socket's timeout passes without a byte; may raise to give up.
    """

    def __init__(self, sock: socket.socket | TlsSocket, on_wait: Callable[[], None]) -> None:
        self._socket = sock
        self._on_wait = on_wait
        # Of a mapping only those pages take memory that were written to, of a bytearray all.
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._left = 0  # payload bytes of the current data frame that were not handed out yet
        self._channel: int | None = None
        self._final = True

    def next(self) -> tuple[int, memoryview]:
        """The next piece of a message: its channel and the bytes, valid until the next call.

        Raises:
            Closed: The peer closed in good order.
            FrameError: It did not, or what it sent is no WebSocket frame.
        """
        while True:
            if not self._left:
                self._begin_frame()
            elif self._start == self._end:
                self._fill(1)
            elif self._channel is None:
                self._channel = self._buffer[self._start]
                self._take(1)
                if not self._left:
                    # A message of its channel alone: an empty piece, as Kubernetes sends one first.
                    return self._piece(0)
            else:
                return self._piece(min(self._left, self._end - self._start))

    def send(self, channel: int, data: bytes) -> None:
        """Sends one message on a channel."""
        self._send_frame(_BINARY, bytes([channel]) + data)

    def close(self) -> None:
        """Says goodbye, as far as the connection still stands."""
        self._send_frame(_CLOSE, struct.pack("!H", 1000))

    def _piece(self, length: int) -> tuple[int, memoryview]:
        channel = self._channel
        if channel is None:
            raise FrameError("a message without a channel")
        piece = self._view[self._start : self._start + length]
        self._take(length)
        if not self._left and self._final:
            self._channel = None
        return channel, piece

    def _take(self, length: int) -> None:
        self._start += length
        self._left -= length

    def _begin_frame(self) -> None:
        """Reads frame headers until there is one with payload of a message."""
        opcode, final, length = self._header()
        if opcode in (_CLOSE, _PING, _PONG):
            self._control(opcode, length, final=final)
            return
        if opcode not in (_CONTINUATION, _TEXT, _BINARY) or (opcode == _CONTINUATION) == self._final:
            raise FrameError(f"a frame out of order (opcode {opcode})")
        self._final = final
        self._left = length
        if not length and final:
            self._channel = None

    def _header(self) -> tuple[int, bool, int]:
        self._fill(2)
        first, second = self._buffer[self._start], self._buffer[self._start + 1]
        if first & _RESERVED or second & _MASKED:
            raise FrameError("a frame with bits that nobody agreed on")
        length, size = second, 2
        if length == _LENGTH_16:
            size = 4
            self._fill(size)
            (length,) = struct.unpack_from("!H", self._buffer, self._start + 2)
        elif length == _LENGTH_64:
            size = 10
            self._fill(size)
            (length,) = struct.unpack_from("!Q", self._buffer, self._start + 2)
        self._start += size
        return first & 0x0F, bool(first & _FINAL), length

    def _control(self, opcode: int, length: int, *, final: bool) -> None:
        if length > _CONTROL_LIMIT or not final:
            raise FrameError("a control frame that is too long")
        self._fill(length)
        payload = bytes(self._view[self._start : self._start + length])
        self._start += length
        if opcode == _CLOSE:
            raise Closed
        if opcode == _PING:
            self._send_frame(_PONG, payload)

    def _fill(self, wanted: int) -> None:
        """Reads until at least `wanted` bytes are in the buffer."""
        while self._end - self._start < wanted:
            if self._start == self._end:
                self._start = self._end = 0
            elif self._start + wanted > len(self._buffer):
                # Only a few bytes of a header are ever left over here.
                left = self._end - self._start
                self._buffer[:left] = self._buffer[self._start : self._end]
                self._start, self._end = 0, left
            try:
                count = self._socket.recv_into(self._view[self._end :])
            except TimeoutError:
                self._on_wait()
                continue
            except OSError as error:
                raise FrameError(f"the connection broke ({error.strerror or error})") from error
            if not count:
                raise FrameError("the connection ended")
            self._end += count

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        if length <= _CONTROL_LIMIT:
            head = struct.pack("!BB", _FINAL | opcode, _MASKED | length)
        elif length <= 0xFFFF:  # noqa: PLR2004  (what fits into 16 bits)
            head = struct.pack("!BBH", _FINAL | opcode, _MASKED | _LENGTH_16, length)
        else:
            head = struct.pack("!BBQ", _FINAL | opcode, _MASKED | _LENGTH_64, length)
        key = os.urandom(4)
        repeated = int.from_bytes((key * (length // 4 + 1))[:length], "big")
        masked = (int.from_bytes(payload, "big") ^ repeated).to_bytes(length, "big")
        try:
            self._socket.sendall(head + key + masked)
        except OSError as error:
            raise FrameError(f"the connection broke ({error.strerror or error})") from error
