"""Brings the spool into a file here while it grows, over connections that may be cut at any moment."""

import time
from collections.abc import Callable
from typing import BinaryIO

from workers.agent.agent import AgentPod
from workers.agent.script import script
from workers.cluster.errors import ClusterError, ExecCutError
from workers.cluster.exec import STDOUT
from workers.spool.counter import PacketCounter
from workers.spool.patience import OutOfPatienceError, Patience

_FOLLOW_SECONDS = 120
"""A follower ends itself after this; the next one goes on."""

_SILENCE_SECONDS = 10.0
_SPARE_SECONDS = 30.0
_OVERTIME_SECONDS = 60.0
_OVER = (124, 143)
"""Exit codes of a follower whose time was over, by GNU's and by busybox's timeout."""

_BLOCK = 1 << 20


class Follower:
    """One spool on its way.

    Args:
        agent: The agent pod it lies in.
        directory: Where it lies there.
        file: The local file, open for reading and appending; what it holds is the spool's beginning.
        expected: At which monotonic time tcpdump has ended at the latest.
        pause: Seconds between two looks at it on the node.
    """

    def __init__(
        self,
        agent: AgentPod,
        directory: str,
        file: BinaryIO,
        *,
        expected: Callable[[], float],
        pause: float,
    ) -> None:
        self._agent = agent
        self._directory = directory
        self._file = file
        self._expected = expected
        self._pause = pause
        self._patience = Patience(agent)
        self._grown = time.monotonic()
        self.counter = PacketCounter()
        file.seek(0)
        while block := file.read(_BLOCK):
            self.counter.feed(block)

    @property
    def bytes(self) -> int:
        """How much has arrived."""
        return self._file.tell()

    def flush(self) -> None:
        """Lets whoever reads the file meanwhile see all of it."""
        self._file.flush()

    def run(self, poll: Callable[[], None]) -> None:
        """Follows until tcpdump has ended and all of the spool is here.

        Args:
            poll: Called about every half second.

        Raises:
            OutOfPatienceError: The agent pod is gone, stays out of reach, or its tcpdump does not end.
        """
        while True:
            try:
                if self._once(poll):
                    return
            except ClusterError as error:
                self.flush()
                poll()
                self._patience.wait(error)
            self._refuse_to_wait_forever()

    def _once(self, poll: Callable[[], None]) -> bool:
        """Follows until the stream ends; whether the spool is complete."""
        follow = ["sh", "-c", script("workers.spool", "follow.sh"), "podcap-follow"]
        argv = ["timeout", "-k", "1", str(_FOLLOW_SECONDS), *follow, self._directory, str(self.bytes)]
        argv.append(f"{self._pause:g}")
        stream = self._agent.stream(
            argv, seconds=_FOLLOW_SECONDS + _SPARE_SECONDS, silence=_SILENCE_SECONDS, poll=poll
        )
        with stream:
            for channel, piece in stream:
                self._patience.heard()
                if channel == STDOUT:
                    self._file.write(piece)
                    self.counter.feed(piece)
                    self._grown = time.monotonic()
        self.flush()
        if stream.exit_code in _OVER:
            return False
        if stream.exit_code != 0:
            raise ExecCutError("The spool on the node cannot be read.")
        return True

    def _refuse_to_wait_forever(self) -> None:
        """Nothing on the node says any more when tcpdump ended, should its supervisor have been killed."""
        if time.monotonic() > max(self._expected(), self._grown) + _OVERTIME_SECONDS:
            raise OutOfPatienceError("The capture on the node did not end when its time was over.")
