"""The common beginning of armed spools: one moment a node, and all nodes at once.

A command that only has to hear "go" waits on each node; then all are told so, which takes what a message over
an open connection takes, and not the tenths of a second of starting a command. Where that fails a node marks
its beginning as soon as it is reached.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress

from workers.agent.agent import AgentPod
from workers.agent.script import script
from workers.cluster.errors import ClusterError, ExecCutError
from workers.cluster.exec import STDOUT, ExecStream
from workers.spool.patience import patiently

log = logging.getLogger(__name__)

_READY = b"ready\n"
_HOLD_SECONDS = 60.0
_SHORT = 30.0


class Beginning:
    """The beginning of the spools of one node.

    Args:
        agent: The agent pod that they lie in.
        directories: Where they lie in it; `Spool.directory`.
    """

    def __init__(self, agent: AgentPod, directories: Sequence[str]) -> None:
        self._agent = agent
        self._directories = directories
        self._stream: ExecStream | None = None
        self._said = bytearray()

    def hold(self) -> None:
        """Lets the node wait for `go`; returns when it does, or is not reached."""
        try:
            self._stream = self._agent.stream(self._argv("hold"), seconds=_HOLD_SECONDS, stdin=True)
            for channel, piece in self._stream:
                self._said += piece if channel == STDOUT else b""
                if self._said.startswith(_READY):
                    return
        except ClusterError as error:
            log.warning("node %s begins when it is reached: %s", self._agent.node, error)

    def go(self) -> None:
        """Says it to a node that waits; `began` hears what it did."""
        if self._stream is not None:
            with suppress(ClusterError):
                self._stream.say(b"go\n")

    def close(self) -> None:
        """Leaves a node that still waits: nothing begins there."""
        if self._stream is not None:
            self._stream.close()

    def began(self) -> list[int | None]:
        """When each spool began, in nanoseconds since 1970 by the node's clock; None for one that is gone.

        What did not begin when told so begins now.

        Raises:
            ClusterError: The node was not reached.
        """
        if self._stream is not None:
            # Whether it heard may not be known; the next command finds what it did.
            with suppress(ClusterError):
                for channel, piece in self._stream:
                    self._said += piece if channel == STDOUT else b""
                return self._read(bytes(self._said).removeprefix(_READY))
        done = patiently(self._agent, lambda: self._agent.run(self._argv(""), seconds=_SHORT))
        return self._read(done.stdout)

    def _argv(self, hold: str) -> list[str]:
        return ["sh", "-c", script("workers.spool", "go.sh"), "podcap-go", hold, *self._directories]

    def _read(self, output: bytes) -> list[int | None]:
        lines = output.decode("ascii", "replace").splitlines()
        if len(lines) != len(self._directories):
            raise ExecCutError(f"Node {self._agent.node} did not say when the capture began.")
        return [int(line) if line.isdecimal() else None for line in lines]
