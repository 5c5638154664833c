"""Many captures, some at a time."""

import logging
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from deploy.lab.handle import LabHandle
from deploy.lab.plan import NODES
from tests.soak.captures import MISSING, Ground, Order, Outcome, Worker, ground, orders
from workers.cluster.cluster import connect

log = logging.getLogger(__name__)

AT_ONCE = 6


@dataclass
class Tally:
    """What became of them; a failure is a sentence."""

    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def table(self) -> str:
        """A line for each kind, method and confidence."""
        groups = Counter((one.order.kind, one.method, one.confidence) for one in self.outcomes)
        lines = [
            f"{kind:16}{method:12}{sure:8}{count:6}" for (kind, method, sure), count in sorted(groups.items())
        ]
        seconds = sorted(one.seconds for one in self.outcomes)
        if seconds:
            lines.append(
                f"seconds a capture: median {seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}"
            )
        return "\n".join(lines)


def captures(lab: LabHandle, count: int, folder: Path, at_once: int = AT_ONCE) -> Tally:
    """Makes so many captures; what they leave on the nodes counts as a failure."""
    for sentence in MISSING:
        log.warning("not captured: %s", sentence)
    tally, waiting = Tally(), SimpleQueue[Order]()
    for order in orders(count):
        waiting.put(order)
    before = _links(lab)
    with ground(lab) as where, ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(_work, where, f"soak-{n}", folder, waiting, tally) for n in range(at_once)]:
            done.result()
    tally.left = [
        *sorted(_links(lab) - before),
        *(pod["metadata"]["name"] for pod in lab.pods(namespace="podcap")),
    ]
    return tally


def _work(where: Ground, name: str, folder: Path, waiting: "SimpleQueue[Order]", tally: Tally) -> None:
    with connect(where.lab.places.kubeconfig) as cluster:
        worker = Worker(where, cluster, name, folder)
        while True:
            try:
                order = waiting.get_nowait()
            except Empty:
                return
            try:
                tally.outcomes.append(worker.make(order))
                if len(tally.outcomes) % 100 == 0:
                    log.info("%d captures are right", len(tally.outcomes))
            except Exception as error:  # noqa: BLE001  (the others go on; each failure is shown at the end)
                last = traceback.extract_tb(error.__traceback__)[-1]
                at = f"{Path(last.filename).name}:{last.lineno}"
                tally.failures.append(
                    f"{order.number} {order.kind} on {order.node.name}, decoys {order.decoys}: "
                    f"{type(error).__name__}: {error} ({at})"
                )
                log.warning("%s", tally.failures[-1])


def _links(lab: LabHandle) -> set[str]:
    return {
        f"{node.name} {line.split()[0]}"
        for node in NODES
        for line in lab.node(node.name, "ip", "-brief", "link").splitlines()
    }
