"""The spool: the file on the node that tcpdump writes, and its way into a file here.

tcpdump runs detached from any connection and ends by itself. A follower streams what it has written, from an
offset; when its connection is cut the next one begins where this one ended. Length and hash prove the copy.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workers.agent.agent import AgentPod
from workers.agent.pod_spec import SPOOL_DIRECTORY
from workers.agent.script import script
from workers.cluster.errors import (
    ClusterError,
    ExecCutError,
    ForbiddenError,
    PodNotFoundError,
    UnauthenticatedError,
)
from workers.cluster.exec import STDOUT, Completed
from workers.spool.counter import PacketCounter
from workers.spool.progress import Progress
from workers.spool.report import SpoolReport, complaint, read_report
from workers.tap.tap import Tap

__all__ = ["Progress", "Spool", "SpoolError", "SpoolLimits", "SpoolReport"]

log = logging.getLogger(__name__)

_SETTLE_SECONDS = 1
"""tcpdump gets packets from the kernel in blocks, at the latest after a second: so much longer it runs, for
the packets of the last second asked for."""

_FOLLOW_SECONDS = 120
"""A follower ends itself after this; the next one goes on."""

_SILENCE_SECONDS = 10.0
_TRIES = 12
_LONGEST_PAUSE = 5.0
_SHORT = 30.0
_OVER = (124, 143)
"""Exit codes of a follower whose time was over, by GNU's and by busybox's timeout."""

_FINAL_ERRORS = (PodNotFoundError, ForbiddenError, UnauthenticatedError)
_BLOCK = 1 << 20


class SpoolError(ClusterError):
    """The capture could not be started or its spool not be brought here; one sentence says why."""


@dataclass(frozen=True)
class SpoolLimits:
    """When tcpdump ends by itself.

    Attributes:
        seconds: Duration.
        packets: At most so many packets.
        bytes: About so many bytes; the spool may grow a little further until the end.
        snaplen: Bytes kept of each packet; 0 for all.
    """

    seconds: int
    packets: int
    bytes: int
    snaplen: int = 0


class Spool:
    """One capture's spool in its agent pod.

    Args:
        agent: The agent pod on the tapped node.
        directory: Where the spool lies in it.
    """

    def __init__(self, agent: AgentPod, *, directory: str = SPOOL_DIRECTORY) -> None:
        self._agent = agent
        self._directory = directory
        self._began = time.monotonic()
        self._limits: SpoolLimits | None = None

    def start(self, tap: Tap, wanted: str, limits: SpoolLimits) -> str:
        """Starts tcpdump and returns when it listens; harmless when it runs already.

        Args:
            tap: Where.
            wanted: The filter asked for, in pcap-filter(7)'s language; "" for every packet.
            limits: When it ends by itself.

        Returns:
            tcpdump's own line: interface, link type, snapshot length.

        Raises:
            SpoolError: tcpdump refuses, in its own words.
            ClusterError: The agent pod is not reached.
        """
        settings = [
            tap.interface,
            limits.seconds + _SETTLE_SECONDS,
            limits.snaplen,
            limits.packets,
            limits.bytes,
        ]
        supervise = script("workers.spool", "supervise.sh")
        arguments = [supervise, self._directory, *map(str, settings), tap.filter(wanted)]
        done = self._again(lambda: self._run("start.sh", arguments))
        self._began = time.monotonic()
        self._limits = limits
        words = done.stdout.decode("utf-8", "replace")
        if done.exit_code != 0:
            words += done.stderr.decode("utf-8", "replace")
            raise SpoolError(f"tcpdump could not capture on {tap.interface}: {complaint(words).rstrip('.')}.")
        return words.strip().removeprefix("tcpdump: ")

    def follow(
        self,
        path: Path,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """Brings the spool into a local file until tcpdump has ended and all of it is here.

        A file that is there already is continued: what it holds is the spool's beginning. Cut connections are
        opened again; the agent pod's own deadline bounds the whole.

        Args:
            path: The local file.
            on_progress: Called about every half second.
            should_stop: Asked about every half second; once it says yes, tcpdump is ended, the rest brought.

        Raises:
            SpoolError: The agent pod is gone, or stays out of reach.
        """
        counter = PacketCounter()
        with path.open("a+b") as file:
            file.seek(0)
            while block := file.read(_BLOCK):
                counter.feed(block)
            poll = self._poll(file, counter, on_progress, should_stop)
            self._follow_to_the_end(file, counter, poll)
            poll()

    def stop(self) -> None:
        """Ends tcpdump in good order, with what it has; harmless when it has ended.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        done = self._run("stop.sh", [self._directory])
        if done.exit_code != 0:
            raise SpoolError("The capture on the node could not be stopped: it ends with its duration.")

    def finish(self, path: Path) -> SpoolReport:
        """Compares the local file with the spool and says how the capture ended.

        Raises:
            SpoolError: They are not the same, or the capture has not ended.
            ClusterError: The agent pod is not reached.
        """
        done = self._again(lambda: self._run("finish.sh", [self._directory], seconds=2 * _SHORT))
        limit = self._limits.packets if self._limits else 0
        try:
            report = read_report(done.stdout.decode("utf-8", "replace"), packet_limit=limit)
        except ValueError as error:
            raise SpoolError(f"The capture on the node did not end in good order: {error}.") from error
        length, digest = _measure(path)
        if (length, digest) != (report.bytes, report.sha256):
            raise SpoolError(
                f"The file that arrived ({length} bytes) is not the node's spool ({report.bytes} bytes): "
                "only what is whole is delivered."
            )
        return report

    def _follow_to_the_end(self, file: BinaryIO, counter: PacketCounter, poll: Callable[[], None]) -> None:
        failures = 0
        while True:
            before = file.tell()
            try:
                if self._follow_once(file, counter, poll):
                    return
                failures = 0
            except _FINAL_ERRORS as error:
                raise SpoolError(f"The capture broke off: {error}") from error
            except ClusterError as error:
                failures = 0 if file.tell() > before else failures + 1
                log.info("the spool's stream broke off and is opened again: %s", error)
                if failures >= _TRIES:
                    raise SpoolError(f"The capture broke off: {error}") from error
                poll()
                time.sleep(min(0.1 * 2**failures, _LONGEST_PAUSE))

    def _follow_once(self, file: BinaryIO, counter: PacketCounter, poll: Callable[[], None]) -> bool:
        """Follows until the stream ends; whether the spool is complete."""
        follow = ["sh", "-c", script("workers.spool", "follow.sh"), "podcap-follow"]
        argv = ["timeout", "-k", "1", str(_FOLLOW_SECONDS), *follow, self._directory, str(file.tell())]
        stream = self._agent.stream(
            argv, seconds=_FOLLOW_SECONDS + _SHORT, silence=_SILENCE_SECONDS, poll=poll
        )
        with stream:
            for channel, piece in stream:
                if channel == STDOUT:
                    file.write(piece)
                    counter.feed(piece)
        file.flush()
        if stream.exit_code in _OVER:
            return False
        if stream.exit_code != 0:
            raise ExecCutError("The spool on the node cannot be read.")
        return True

    def _poll(
        self,
        file: BinaryIO,
        counter: PacketCounter,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> Callable[[], None]:
        stopped = False

        def poll() -> None:
            nonlocal stopped
            file.flush()  # somebody may be reading it meanwhile
            if on_progress is not None:
                on_progress(Progress(counter.packets, file.tell(), time.monotonic() - self._began))
            if not stopped and should_stop is not None and should_stop():
                try:
                    self.stop()
                    stopped = True
                except ClusterError as error:
                    log.warning("stopping failed and is tried again: %s", error)

        return poll

    def _run(self, name: str, arguments: list[str], *, seconds: float = _SHORT) -> Completed:
        program = script("workers.spool", name)
        return self._agent.run(["sh", "-c", program, f"podcap-{name}", *arguments], seconds=seconds)

    def _again(self, run: Callable[[], Completed]) -> Completed:
        """Runs a command that may be run twice; once more when its stream was cut."""
        try:
            return run()
        except ExecCutError:
            return run()


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
