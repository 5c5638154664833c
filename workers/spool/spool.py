"""The spool: the file on the node that tcpdump writes, and its way into a file here.

tcpdump runs detached from any connection and ends by itself. A follower streams what it has written, from an
offset; when its connection is cut the next one begins where this one ended. Length and hash prove the copy.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from workers.agent.agent import AgentPod
from workers.agent.pod_spec import SPOOL_DIRECTORY
from workers.agent.script import script
from workers.cluster.errors import ClusterError
from workers.cluster.exec import Completed
from workers.spool.follower import Follower
from workers.spool.patience import OutOfPatienceError, patiently
from workers.spool.progress import Progress
from workers.spool.report import SpoolReport, complaint, read_report
from workers.spool.whole import keep_whole_packets
from workers.tap.tap import Tap

__all__ = ["Progress", "Spool", "SpoolError", "SpoolLimits", "SpoolLostError", "SpoolReport"]

log = logging.getLogger(__name__)

_SETTLE_SECONDS = 1
"""tcpdump gets packets from the kernel in blocks, at the latest after a second: so much longer it runs, for
the packets of the last second asked for."""

_SPARE_SECONDS = 15
"""tcpdump's own timeout, for when nobody on the node ends it, is so much longer: it also counts the start."""

_PAUSE = 0.5
"""Seconds between two looks for what the spool has grown by."""

_SHORT = 30.0


class SpoolError(ClusterError):
    """The capture could not be started or its spool not be brought here; one sentence says why."""


class SpoolLostError(SpoolError):
    """The spool is out of reach for good: what has arrived of it is all there will be."""


@dataclass(frozen=True)
class SpoolLimits:
    """When tcpdump ends by itself.

    Attributes:
        seconds: Duration.
        packets: At most so many packets.
        bytes: About so many bytes; the spool may grow a little further until the end.
        snaplen: Bytes kept of each packet; 0 for all.
        longest: The duration, in seconds, that it may be extended to; 0 for not at all.
        armed: How many seconds it may wait for its beginning (`spool.beginning`); None when it begins as soon
            as tcpdump listens.
        pause: Seconds between two looks at it on the node, while its end is not near.
    """

    seconds: int
    packets: int
    bytes: int
    snaplen: int = 0
    longest: int = 0
    armed: int | None = None
    pause: float = 0.2


class Spool:
    """One capture's spool in its agent pod.

    Args:
        agent: The agent pod on the tapped node.
        directory: Where the spool lies in it.
    """

    def __init__(self, agent: AgentPod, *, directory: str = SPOOL_DIRECTORY) -> None:
        self.agent = agent
        self._directory = directory
        self._began = time.monotonic()
        self._limits: SpoolLimits | None = None
        self._refused = 0
        self.seconds = 0
        """The duration as the node knows it."""

    def start(self, tap: Tap, wanted: str, limits: SpoolLimits) -> str:
        """Starts tcpdump and returns when it listens; harmless when it runs already.

        One that is armed writes what it sees, and its duration counts from its beginning.

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
            max(limits.seconds, limits.longest) + (limits.armed or 0) + _SETTLE_SECONDS + _SPARE_SECONDS,
            limits.snaplen,
            limits.packets,
            limits.bytes,
        ]
        supervise = script("workers.spool", "supervise.sh")
        arguments = [supervise, self._directory, *map(str, settings), tap.filter(wanted)]
        arguments += ["" if value is None else str(value) for value in (tap.pid, tap.started, limits.armed)]
        arguments.append(f"{limits.pause:g}")
        done = patiently(self.agent, lambda: self._run("start.sh", arguments))
        self._began = time.monotonic()
        self._limits = limits
        self.seconds = limits.seconds
        if done.exit_code != 0:
            words = done.stdout.decode("utf-8", "replace")
            words += done.stderr.decode("utf-8", "replace")
            raise SpoolError(f"tcpdump could not capture on {tap.interface}: {complaint(words).rstrip('.')}.")
        return _listening(done.stdout)

    @property
    def directory(self) -> str:
        """Where it lies in its agent pod."""
        return self._directory

    def has_begun(self) -> None:
        """The duration of one that was armed counts from now on."""
        self._began = time.monotonic()

    def heard(self) -> str:
        """What tcpdump said when it was started: its own line, as `start` returns it; "" when it was not.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        argv = ["grep", "-s", "listening on", f"{self._directory}/run/log"]
        done = patiently(self.agent, lambda: self.agent.run(argv, seconds=_SHORT))
        return _listening(done.stdout)

    def resume(self, limits: SpoolLimits, *, since: float) -> None:
        """Takes up a spool that another worker has started, running or not.

        Args:
            limits: As they are now; when somebody gave it more time while nobody was at it, the node is told.
            since: Seconds since it was started.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        self._began = time.monotonic() - since
        self._limits = limits
        self.seconds = limits.seconds
        patiently(self.agent, lambda: self.extend(limits.seconds))

    def follow(
        self,
        path: Path,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        wanted_seconds: Callable[[], int] | None = None,
    ) -> None:
        """Brings the spool into a local file until tcpdump has ended and all of it is here.

        A file that is there already is continued: what it holds is the spool's beginning. Cut connections are
        opened again until the agent pod has been out of reach for a minute.

        Args:
            path: The local file.
            on_progress: Called about every half second.
            should_stop: Asked about every half second; once it says yes, tcpdump is ended, the rest brought.
            wanted_seconds: Asked likewise; when it says more than before, tcpdump runs so much longer.

        Raises:
            SpoolLostError: The agent pod is gone, or stays out of reach.
        """
        with path.open("a+b") as file:
            pause = self._limits.pause if self._limits else _PAUSE
            follower = Follower(
                self.agent, self._directory, file, expected=self._expected, pause=max(pause, _PAUSE)
            )
            poll = self._poll(follower, on_progress, should_stop, wanted_seconds)
            try:
                follower.run(poll)
            except OutOfPatienceError as error:
                raise SpoolLostError(str(error)) from error
            poll()

    def stop(self) -> None:
        """Ends tcpdump in good order, with what it has; harmless when it has ended.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        done = self._run("stop.sh", [self._directory])
        if done.exit_code != 0:
            raise SpoolError("The capture on the node could not be stopped: it ends with its duration.")

    def extend(self, seconds: int) -> bool:
        """Lets tcpdump run until so many seconds after its beginning.

        Returns:
            Whether it does; not when it had ended by then, or may not run for so long.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        if self._limits is None or seconds > self._limits.longest:
            return False
        done = self._run("extend.sh", [self._directory, str(seconds + _SETTLE_SECONDS)])
        if done.exit_code != 0:
            raise SpoolError("The capture on the node could not be extended.")
        if done.stdout.strip():
            return False
        self.seconds = seconds
        return True

    def finish(self, path: Path) -> SpoolReport:
        """Compares the local file with the spool and says how the capture ended.

        A spool that was not written to its end may end within a packet: then the local file is cut before it.

        Raises:
            SpoolError: They are not the same.
            SpoolLostError: The agent pod is not reached any more, or does not say how the capture ended.
        """
        try:
            done = patiently(
                self.agent, lambda: self._run("finish.sh", [self._directory], seconds=2 * _SHORT)
            )
        except OutOfPatienceError as error:
            raise SpoolLostError(str(error)) from error
        limit = self._limits.packets if self._limits else 0
        try:
            report = read_report(done.stdout.decode("utf-8", "replace"), packet_limit=limit)
        except ValueError as error:
            raise SpoolLostError(f"The capture on the node did not end in good order: {error}.") from error
        length, digest = _measure(path)
        if (length, digest) != (report.bytes, report.sha256):
            raise SpoolError(
                f"The file that arrived ({length} bytes) is not the node's spool ({report.bytes} bytes): "
                "only what is whole is delivered."
            )
        return self._whole(path, report)

    def _whole(self, path: Path, report: SpoolReport) -> SpoolReport:
        """What tcpdump counted, unless the disk or the limit of bytes took less than that."""
        if report.ended_by in ("bytes", "error"):
            return replace(report, packets_captured=keep_whole_packets(path).packets)
        return report

    def _expected(self) -> float:
        return self._began + self.seconds + _SETTLE_SECONDS

    def _poll(
        self,
        follower: Follower,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
        wanted_seconds: Callable[[], int] | None,
    ) -> Callable[[], None]:
        stopped = False

        def poll() -> None:
            nonlocal stopped
            follower.flush()  # somebody may be reading the file meanwhile
            if on_progress is not None:
                seconds = time.monotonic() - self._began
                on_progress(Progress(follower.counter.packets, follower.bytes, seconds))
            try:
                if not stopped and should_stop is not None and should_stop():
                    self.stop()
                    stopped = True
                elif not stopped and wanted_seconds is not None:
                    self._extend_once(wanted_seconds())
            except ClusterError as error:
                log.warning("tcpdump was not reached and is tried again: %s", error)

        return poll

    def _extend_once(self, seconds: int) -> None:
        if seconds > max(self.seconds, self._refused) and not self.extend(seconds):
            self._refused = seconds

    def _run(self, name: str, arguments: list[str], *, seconds: float = _SHORT) -> Completed:
        program = script("workers.spool", name)
        return self.agent.run(["sh", "-c", program, f"podcap-{name}", *arguments], seconds=seconds)


def _listening(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip().removeprefix("tcpdump: ")


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
