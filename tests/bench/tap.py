"""The tap's figures: what it costs on the node to find one pod's interface among a thousand."""

import resource
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from tests.bench.figure import Figure
from tests.bench.many_pods import COUNT, node
from workers.agent.agent import AgentPod
from workers.cluster.exec import Completed
from workers.tap.gather import gather
from workers.tap.tap import decide

_ROUNDS = 30
_BARE = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")


class _Agent:
    """Runs on the node what an agent pod would: as uid 0, without any capability, in the node's network."""

    node = "n1"

    def __init__(self, pid: int) -> None:
        self._enter = ("nsenter", "-t", str(pid), "-n", *_BARE)
        self.milliseconds: list[float] = []
        self.processor: list[float] = []
        self.bytes = 0

    def run(self, argv: Sequence[str], **_: Any) -> Completed:
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*self._enter, *argv], capture_output=True, check=True)
        self.milliseconds.append(1000 * (time.perf_counter() - start))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
        self.bytes = len(done.stdout)
        return Completed(done.returncode, done.stdout, done.stderr)


def figures(_: Path) -> Iterator[Figure]:
    """Gathers and decides some times over; the interface must be the right one each time."""
    with node() as (pid, pod, ifindex):
        agent = _Agent(pid)
        for _round in range(_ROUNDS):
            tap = decide(gather(cast("AgentPod", agent), pod), pod)
            assert (tap.ifindex, tap.confidence) == (ifindex, "high")
    what = f"finding an interface among {COUNT:,} veths"
    yield Figure(f"exec round trips for {what}", len(agent.milliseconds) / _ROUNDS, "", 2)
    # Other processes on the machine make a round slower, nothing makes one faster than the script is.
    yield Figure(f"{what}, on the node, best of {_ROUNDS}", min(agent.milliseconds), "ms", 100)
    yield Figure(f"{what}, processor time, best", min(agent.processor), "ms")
    yield Figure(f"{what}, median", statistics.median(agent.milliseconds), "ms")
    yield Figure("size of that evidence", agent.bytes / 1024, "KiB")
