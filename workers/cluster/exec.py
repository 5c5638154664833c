"""Commands in containers: an exec over a WebSocket, its channels and its end.

An exec's stream ends with a `Status` on channel 3 that says how the command ended. A connection that was cut
shows no such Status, and the process on the node lives on: that is `ExecCutError`, never success.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from workers.cluster.errors import ExecCutError, ExecError, ExecTimeoutError, OutputTooLongError
from workers.cluster.frames import Closed, FrameError, Frames
from workers.cluster.handshake import V5, Connection

STDIN, STDOUT, STDERR, STATUS, _END_OF = 0, 1, 2, 3, 255

_TICK_SECONDS = 0.5
_LONGEST_STATUS = 1 << 16
_LONGEST_WORDS = 200
_STDIN_PIECE = 1 << 15


@dataclass(frozen=True)
class Completed:
    """A command that ended by itself."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class ExecStream:
    """The output of one running command.

    Iterating yields `(channel, piece)` with channel `STDOUT` or `STDERR`; a piece is valid until the next
    one. The iteration ends when the command did, and `exit_code` is known then.

    Args:
        connection: An exec after its handshake.
        seconds: How long the whole stream may take.
        silence: How long it may stay without a byte, or None.
        poll: Called at least once a second while waiting; what it raises ends the stream.

    Raises (while iterating):
        ExecCutError: The stream ended without a Status, or was silent for too long.
        ExecTimeoutError: It took longer than `seconds`.
        ExecError: The command could not be started.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        seconds: float,
        silence: float | None = None,
        poll: Callable[[], None] | None = None,
    ) -> None:
        self.exit_code: int | None = None
        self._connection = connection
        self._connection.socket.settimeout(_TICK_SECONDS)
        self._frames = Frames(connection.socket, self._check)
        self._status = bytearray()
        self._seconds = seconds
        self._silence = silence
        self._poll = poll
        self._began = self._heard = self._polled = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        while True:
            try:
                channel, piece = self._frames.next()
            except Closed:
                break
            except FrameError as error:
                if not self._status:
                    raise ExecCutError(f"The exec's stream was cut: {error}.") from error
                break
            self._heard = time.monotonic()
            if self._heard - self._polled >= _TICK_SECONDS:
                self._check()
            if channel == STATUS:
                self._status += piece
                if len(self._status) > _LONGEST_STATUS:
                    raise ExecError("The exec's status is too long to be one.")
            elif channel in (STDOUT, STDERR) and len(piece):
                yield channel, piece
        if not self._status:
            raise ExecCutError("The exec's stream ended without saying how the command did.")
        self.exit_code = exit_code(bytes(self._status))

    def send_stdin(self, data: bytes) -> None:
        """Gives the command its standard input and closes it.

        Raises:
            ExecError: The server speaks only v4, in which standard input cannot be closed.
        """
        if self._connection.subprotocol != V5:
            raise ExecError("This API server cannot end a command's standard input (exec v4).")
        try:
            for start in range(0, len(data), _STDIN_PIECE):
                self._frames.send(STDIN, data[start : start + _STDIN_PIECE])
            self._frames.send(_END_OF, bytes([STDIN]))
        except FrameError as error:
            raise ExecCutError(f"The exec's stream was cut: {error}.") from error

    def say(self, data: bytes) -> None:
        """Gives the command a little of its standard input, which stays open.

        Raises:
            ExecCutError: The connection is gone.
        """
        try:
            self._frames.send(STDIN, data)
        except FrameError as error:
            raise ExecCutError(f"The exec's stream was cut: {error}.") from error

    def close(self) -> None:
        """Leaves the stream; a command that still runs is not ended by that (kubernetes #89031)."""
        try:
            self._frames.close()
        except FrameError:
            pass  # It is gone already.
        finally:
            self._connection.socket.close()

    def _check(self) -> None:
        self._polled = now = time.monotonic()
        if now - self._began > self._seconds:
            raise ExecTimeoutError(f"A command on the node took longer than {self._seconds:g} s.")
        if self._silence is not None and now - self._heard > self._silence:
            raise ExecCutError(f"The exec's stream was silent for {self._silence:g} s.")
        if self._poll is not None:
            self._poll()


def complete(stream: ExecStream, *, stdin: bytes | None = None, limit_bytes: int) -> Completed:
    """Runs a command to its end and keeps what it wrote.

    Raises:
        OutputTooLongError: It wrote more than `limit_bytes` to one of its outputs.
        ExecError: See `ExecStream`.
    """
    outputs: Mapping[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray()}
    with stream:
        if stdin is not None:
            stream.send_stdin(stdin)
        for channel, piece in stream:
            if len(outputs[channel]) + len(piece) > limit_bytes:
                raise OutputTooLongError(f"A command on the node wrote more than {limit_bytes} bytes.")
            outputs[channel] += piece
    if stream.exit_code is None:
        raise ExecCutError("The exec's stream ended without saying how the command did.")
    return Completed(stream.exit_code, bytes(outputs[STDOUT]), bytes(outputs[STDERR]))


def exit_code(status: bytes) -> int:
    """The exit code in the `Status` that ends an exec (kubernetes, kubelet/pkg/cri/streaming/remotecommand).

    Raises:
        ExecError: The command never ran; the message is the API's own.
    """
    try:
        answer = json.loads(status)
        if answer["status"] == "Success":
            return 0
        if answer.get("reason") == "NonZeroExitCode":
            causes = answer["details"]["causes"]
            return int(next(cause["message"] for cause in causes if cause["reason"] == "ExitCode"))
        message = " ".join(str(answer["message"]).split())
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise ExecError("The exec ended with a status that cannot be read.") from error
    # The runtime's own words come last, behind those of everyone who handed them on.
    said = message if len(message) <= _LONGEST_WORDS else f"…{message[-_LONGEST_WORDS:]}"
    raise ExecError(f"The command could not be run in the container: {said.rstrip('.')}.")
