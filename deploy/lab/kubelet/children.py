"""Every child of the kubelet, reaped in one place.

The kubelet is the "subreaper" of its node (prctl(2)): the first process of a container, and whatever a
container in the node's own PID namespace leaves behind, become its children when their parents end.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.lab.kubelet import pipes

_PR_SET_CHILD_SUBREAPER = 36
_LOST = 255
_MOST_EARLY = 256


@dataclass(frozen=True)
class Completed:
    """A child that ended.

    Attributes:
        code: Its exit code; 128 + N when signal N ended it.
    """

    code: int
    output: bytes
    errors: bytes


class Children:
    """Starts processes and learns how they end. One per kubelet, made in its running event loop."""

    def __init__(self) -> None:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._loop = asyncio.get_running_loop()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._early: OrderedDict[int, int] = OrderedDict()
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def spawn(self, argv: Sequence[str], descriptors: Sequence[int | str]) -> asyncio.Future[int]:
        """Starts a program in a session of its own.

        Args:
            argv: The program and its arguments; it is looked up on the path.
            descriptors: What becomes its standard input, output and error: descriptors of this process, or
                the path of a terminal, which then also becomes its controlling terminal.

        Returns:
            Its exit code, once it has ended.
        """
        actions = [_action(number, source) for number, source in enumerate(descriptors)]
        process = os.posix_spawnp(
            argv[0],
            list(argv),
            _environment(),
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=_RESET,
        )
        return self.watch(process)

    async def run(self, argv: Sequence[str], text: str = "") -> Completed:
        """Runs a program to its end, with `text` as its standard input."""
        (their_input, own_input), (own_output, their_output), (own_errors, their_errors) = (
            pipes.pair() for _ in range(3)
        )
        with own_output, own_errors:
            with own_input:
                with their_input, their_output, their_errors:
                    theirs = (their_input.fileno(), their_output.fileno(), their_errors.fileno())
                    end = self.spawn(argv, theirs)
                await pipes.write(own_input, text.encode())
            output, errors = await asyncio.gather(pipes.read_all(own_output), pipes.read_all(own_errors))
        return Completed(await end, output, errors)

    def watch(self, process: int) -> asyncio.Future[int]:
        """The exit code of a process that is, becomes, or was until just now a child of the kubelet."""
        end = self._ends.setdefault(process, self._loop.create_future())
        if process in self._early:
            self._end(process, self._early.pop(process))
        elif not Path(f"/proc/{process}").exists():
            self._end(process, _LOST)
        return end

    def _end(self, process: int, code: int) -> None:
        end = self._ends.pop(process, None)
        if end is None:  # nobody has asked yet
            self._early[process] = code
            if len(self._early) > _MOST_EARLY:
                self._early.popitem(last=False)
        elif not end.done():
            end.set_result(code)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                process, status = os.waitpid(-1, os.WNOHANG)
                if process == 0:
                    return
                self._end(process, _exit_code(status))


_RESET = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM)


def _action(number: int, source: int | str) -> tuple[int, ...] | tuple[int, int, str, int, int]:
    if isinstance(source, str):
        return (os.POSIX_SPAWN_OPEN, number, source, os.O_RDWR, 0)
    return (os.POSIX_SPAWN_DUP2, source, number)


def _environment() -> Mapping[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
