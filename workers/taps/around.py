"""What is around the tapped pods: looked at when their packets begin to count, and when none comes any more.

Packets come first: nothing here delays their beginning, and whatever fails here is only missing.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace

from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster
from workers.cluster.pod import Pod
from workers.ledger.lease import LeaseLostError
from workers.place import PlaceError
from workers.pod_logs.pod_log import NOT_ALLOWED, PodLog, log_of
from workers.pod_logs.read import logs_of
from workers.surroundings.gather import gather
from workers.surroundings.surroundings import Surroundings, looked_late, restarts
from workers.surroundings.visit import Inside
from workers.taps.crew import Crew
from workers.taps.way import TapWay
from workers.work import Leaving, Work

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Found:
    """What was around one tap's pod.

    Attributes:
        pod: As it was when its tap was decided.
        before: When its packets began to count; None where that is not known.
        after: When none came any more, likewise.
        log: None where nobody looked.
    """

    pod: Pod
    before: Surroundings | None = None
    after: Surroundings | None = None
    log: PodLog | None = None


class Around:
    """The surroundings of a capture's pods.

    Args:
        work: The capture.
        ways: Its taps.
        logs: Whether the pods' logs may be read.
        late: Whether the packets have counted since before, for a worker that is gone.
    """

    def __init__(self, work: Work, ways: Sequence[TapWay], *, logs: bool, late: bool = False) -> None:
        self._work = work
        self._late = late
        self._logs = logs
        self._ways = [way for way in ways if way.pod is not None and way.agent is not None and not way.failed]
        self._before: dict[str, Surroundings] = {}
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._look_before,), name="around", daemon=True
        )

    def begin(self) -> None:
        """Looks for the first time, beside the capture."""
        self._thread.start()

    def end(self, crew: Crew) -> dict[int, Found]:
        """Looks once more, and reads the logs; what was found, by the taps' numbers."""
        self._thread.join(_PATIENCE_SECONDS)
        self._work.refuse_if_leaving()
        try:
            return self._end(crew)
        except (Leaving, LeaseLostError):
            raise
        except Exception:
            # The crew takes it for the end of the whole work.
            self._work.broken = None
            log.exception("what was around the pods is not known")
            return {}

    def _end(self, crew: Crew) -> dict[int, Found]:
        # An agent pod that is gone, or out of reach, has cost enough time.
        self._ways = [way for way in self._ways if way.report is not None and not way.report.partial]
        nodes = list(self._by_node().values())
        after: dict[str, Surroundings] = {}
        for some in crew.each(lambda ways: self._looked(crew.cluster(), ways), nodes):
            after |= some

        refusal = self._refusal()

        def found(way: TapWay) -> tuple[int, Found] | None:
            if way.pod is None:
                return None
            before, later = self._before.get(way.pod.uid), after.get(way.pod.uid)
            found = Found(way.pod, before, later)
            read = _refused(way.pod, refusal) if refusal else _log(crew.cluster(), way, found)
            return way.record.number, replace(found, log=read)

        return dict(filter(None, crew.each(found, self._ways)))

    def _refusal(self) -> str:
        """Why logs are not read, as one sentence; "" when they are. They hold what payload holds."""
        if not self._logs:
            return NOT_ALLOWED
        try:
            return self._work.services.place.payload_refusal(self._work.capture) or ""
        except PlaceError as error:
            return f"Its log is not here: {error}"

    def _look_before(self) -> None:
        try:
            with self._work.services.cluster() as cluster:
                nodes = [self._node(cluster, ways) for ways in self._by_node().values()]
                # All nodes first: their moment is the capture's beginning.
                before = gather(cluster, list(filter(None, nodes)), self._addresses())
                late = self._late
                self._before = {uid: looked_late(one) if late else one for uid, one in before.items()}
        except Exception:
            log.exception("what was around the pods is not known")

    def _by_node(self) -> dict[str, list[TapWay]]:
        nodes: dict[str, list[TapWay]] = defaultdict(list)
        for way in self._ways:
            nodes[way.record.node or ""].append(way)
        return nodes

    def _looked(self, cluster: Cluster, ways: Sequence[TapWay]) -> dict[str, Surroundings]:
        """The surroundings of the pods of one node, by their UIDs."""
        node = self._node(cluster, ways)
        return {} if node is None else gather(cluster, [node], self._addresses())

    def _node(self, cluster: Cluster, ways: Sequence[TapWay]) -> tuple[AgentPod, list[Inside]] | None:
        """The agent pod of a node, for this thread, and the pods there."""
        agent: AgentPod | None = ways[0].agent
        if agent is None:
            return None
        insides = [Inside(way.pod, way.pids) for way in ways if way.pod is not None]
        return replace(agent, cluster=cluster), insides

    def _addresses(self) -> list[str]:
        return [ip for way in self._ways if way.pod is not None for ip in way.pod.ips]


def _refused(pod: Pod, why: str) -> PodLog:
    return log_of(pod.namespace, pod.name, [], [why])


def _log(cluster: Cluster, way: TapWay, found: Found) -> PodLog | None:
    """The lines since its packets count; None where nobody knows since when."""
    looked = found.before.at if found.before is not None else None
    since = way.record.began or looked
    if since is None or found.after is None:
        return None
    again = restarts(found.before, found.after)
    return logs_of(cluster, found.pod, since, found.after.at, restarted=tuple(again))
