"""All taps of one capture: prepared at once, begun at one moment, followed until the last one has ended.

A tap that fails stops no other; when all have failed, the capture has. What each has come to is a row of the
ledger, from which a worker that takes over goes on: taps that wait for their beginning are prepared anew,
because nothing of them counts yet; those that have begun are followed from where they are.

A capture of one tap goes the same way, without threads, and begins as soon as its tcpdump listens.
"""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from workers.agent.agent import AgentPod
from workers.agent.pod_spec import Profile
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.ledger.states import State
from workers.ledger.tap_record import TapRecord
from workers.packaging import begin_naming
from workers.permission import Judgement
from workers.spool.beginning import Beginning
from workers.spool.progress import Progress
from workers.spool.spool import Spool
from workers.taps import agents
from workers.taps.crew import AT_ONCE, Crew
from workers.taps.way import TapWay
from workers.work import Ended, Work

log = logging.getLogger(__name__)

_AT_ONCE_ON_A_NODE = 8
_SHOWN_SENTENCES = 3

Step = Callable[[TapWay, Cluster], None]
"""Something that is done at one tap, with the cluster for the thread that does it."""

_BEGUN = ("sh", "-c", 'cat "$1"/*/run/began', "podcap-begun", "/spool")


class Together:
    """The taps of one capture: `prepare`, `begin`, `follow`, or `join` in place of the first two.

    Args:
        work: The capture.
        records: Its taps as the ledger has them.
        crew: Who works at them.

    Attributes:
        ways: The taps, by number.
        joined: Whether an earlier worker began them.
    """

    def __init__(self, work: Work, records: Sequence[TapRecord], crew: Crew) -> None:
        self._work = work
        self._crew = crew
        self.ways = [TapWay(work, record, of=len(records)) for record in records]
        self.joined = False
        self._ending = threading.Lock()
        self._running: set[int] = set()
        self._seconds = 0

    @property
    def alone(self) -> bool:
        """Whether there is one tap."""
        return len(self.ways) == 1

    @property
    def left(self) -> list[TapWay]:
        """Those that have not failed."""
        return [way for way in self.ways if not way.failed]

    def prepare(self, judgement: Judgement) -> None:
        """Brings every tap to where it can begin.

        An agent pod that may enter network namespaces is made only when the evidence demands it and the
        policy allows it; where an earlier worker has made it, it serves from the beginning.

        Raises:
            Ended: None can begin.
            ClusterError, NoTap: The only one cannot, and why.
        """
        self._each(lambda way, cluster: way.find(cluster))
        self._refuse_if_none_is_left()
        nodes = list(dict.fromkeys(way.record.node or "" for way in self.left))
        pods = dict(zip(nodes, self._made(nodes, nodes, "host"), strict=True))
        short = self._look(pods, nodes, judgement)
        if short:
            # Seconds have passed, and only these may read a namespace's inode.
            pods |= dict(zip(short, self._made(short, nodes, "namespace", pods), strict=True))
            self._look(pods, short, judgement)
        here = Counter(way.record.node for way in self.left)
        self._each(
            lambda way, cluster: way.start(cluster, here=here[way.record.node]),
            most_on_a_node=_AT_ONCE_ON_A_NODE,
        )
        self._refuse_if_none_is_left()

    def _made(
        self,
        wanted: Sequence[str],
        nodes: Sequence[str],
        profile: Profile,
        instead: dict[str, AgentPod | None] | None = None,
    ) -> list[AgentPod | None]:
        """An agent pod for each of these nodes; the taps of a node that has none fail."""

        def make(node: str) -> AgentPod | None:
            cluster = self._crew.cluster()
            before = None if instead is None else instead[node]
            try:
                if before is not None:
                    agents.remove_one(self._work, replace(before, cluster=cluster))
                return agents.made(self._work, cluster, node, nodes.index(node), profile)
            except ClusterError as error:
                for way in self.left:
                    if way.record.node == node:
                        way.fail(error)
                return None

        return self._crew.each(make, wanted)

    def _look(
        self, pods: dict[str, AgentPod | None], nodes: Sequence[str], judgement: Judgement
    ) -> list[str]:
        """Looks on these nodes; those where an agent pod with more rights is needed."""
        short: set[str] = set()

        def look(way: TapWay, cluster: Cluster) -> None:
            pod = pods.get(way.record.node or "")
            if way.record.node in nodes and pod is not None:
                enough = way.look(cluster, replace(pod, cluster=cluster), judgement)
                if not enough:
                    short.add(way.record.node or "")

        self._each(look, most_on_a_node=_AT_ONCE_ON_A_NODE)
        self._refuse_if_none_is_left()
        return [node for node in nodes if node in short]

    def begin(self) -> None:
        """Lets the packets of all taps count from the same moment.

        Raises:
            Ended: None could begin.
        """
        if self.alone:
            (way,) = self.ways
            way.begin(None)
            self._work.compiled = way.compiled
            begin_naming(self._work)
            self._work.move(State.CAPTURING, trail={"tcpdump": way.heard})
            return
        self._work.give_up_if_stopped()
        beginnings = [
            (Beginning(ways[0].agent, [way.directory for way in ways]), ways)
            for ways in self._by_node().values()
            if ways[0].agent is not None
        ]
        try:
            self._crew.each(lambda one: one[0].hold(), beginnings, most=max(1, len(beginnings)))
            for beginning, _ in beginnings:
                beginning.go()
            self._crew.each(lambda one: self._hear(*one), beginnings)
        finally:
            for beginning, _ in beginnings:
                beginning.close()
        self._refuse_if_none_is_left()
        begin_naming(self._work)
        heard = {str(way.record.number): way.heard for way in self.left}
        apart = {} if self.spread is None else {"began_apart_ms": round(self.spread / 1e6, 3)}
        self._work.move(State.CAPTURING, trail={"tcpdump": heard, "taps": len(self.left), **apart})
        self._work.report.show_taps(self._work.capture, self.records())

    @property
    def spread(self) -> int | None:
        """Nanoseconds between the first tap's beginning and the last one's, each by its own node's clock."""
        began = [way.record.began for way in self.ways if way.record.began is not None]
        return max(began) - min(began) if len(began) > 1 else None

    def _hear(self, beginning: Beginning, ways: Sequence[TapWay]) -> None:
        try:
            moments = beginning.began()
        except ClusterError as error:
            for way in ways:
                way.fail(error)
            return
        for way, moment in zip(ways, moments, strict=True):
            if moment is None:
                way.fail(ClusterError("Its tcpdump was gone before the capture began."))
            else:
                way.begin(moment)

    def _by_node(self) -> dict[str, list[TapWay]]:
        found: dict[str, list[TapWay]] = defaultdict(list)
        for way in self.left:
            found[way.record.node or ""].append(way)
        return found

    def has_begun(self) -> bool:
        """Whether an earlier worker began the capture and did not live to write that down; then that is done.

        Where it captures stands in the trail; decided anew, the tap might be another one than that.
        """
        pods = agents.found(self._work, self._crew.cluster())
        if self.alone:
            heard = Spool(pods[0]).heard() if pods else ""
            if heard:
                begin_naming(self._work)
                self._work.move(State.CAPTURING, trail={"tcpdump": heard})
            return bool(heard)
        if not any(pod.run(_BEGUN, seconds=30.0).stdout.strip() for pod in pods):
            # Nothing of it counts yet: all begin together, from the first step on.
            agents.remove(self._work, self._crew.cluster())
            return False
        by_node = {pod.node: pod for pod in pods}
        for way in self.left:
            way.agent = by_node.get(way.record.node or "")
            if way.agent is None:
                way.fail(ClusterError(agents.GONE))
        self.begin()
        return True

    def join(self) -> None:
        """Takes up what an earlier worker began.

        Raises:
            Ended: There is nothing left of it.
            ClusterError: The only agent pod is not reached.
        """
        self.joined = True
        pods = {pod.node: pod for pod in agents.found_again(self._work, self._crew.cluster())}

        def resume(way: TapWay, cluster: Cluster) -> None:
            pod = pods.get(way.record.node or "") or (next(iter(pods.values())) if self.alone else None)
            if pod is None:
                raise ClusterError(agents.GONE)
            way.resume(cluster, replace(pod, cluster=cluster))

        self._each(resume)
        self._refuse_if_none_is_left()
        if self.alone:
            self._work.compiled = self.ways[0].compiled

    def follow(self) -> None:
        """Brings everything here until all have ended, and shows how far they are."""
        ways = self.left
        self._running = {way.record.number for way in ways}
        if self.alone:
            self._work.report.follow(self._work.capture, ways[0].raw)

        def follow(way: TapWay) -> None:
            try:
                way.trying(lambda: way.follow(self._crew.cluster(), over=lambda ran: self._over(way, ran)))
            finally:
                with self._ending:
                    self._running.discard(way.record.number)

        self._crew.each(follow, ways, most=len(ways), meanwhile=self._show)
        if self.alone and ways[0].error is not None:
            raise ways[0].error

    def _over(self, way: TapWay, seconds: int) -> None:
        """The last one whose capturing has ended says so for all."""
        work = self._work
        with self._ending:
            self._running.discard(way.record.number)
            self._seconds = max(self._seconds, seconds)
            if self._running:
                return
            work.advance(State.COLLECTING)
            if self._seconds < work.capture.seconds:
                work.note(seconds=self._seconds)
                work.say("The capture was to run longer, but it had ended by then.")

    def _show(self) -> None:
        work = self._work
        if work.capture.state is State.CAPTURING:
            work.report.show_progress(work.capture, self.progress(), self.records())

    def progress(self) -> Progress:
        """How far all of them are."""
        all_ = [way.progress for way in self.left]
        return Progress(
            sum(one.packets or 0 for one in all_),
            sum(one.bytes for one in all_),
            max((one.seconds for one in all_), default=0.0),
        )

    def records(self) -> list[TapRecord]:
        """The taps as they are now, with what has arrived of those that run."""
        return [
            replace(way.record, packets=way.progress.packets, bytes=way.progress.bytes)
            if way.report is None and not way.failed
            else way.record
            for way in self.ways
        ]

    def _each(self, step: Step, *, most_on_a_node: int = AT_ONCE) -> None:
        """Takes a step at every tap that is left; one that fails is left out from then on."""
        nodes = {way.record.node: threading.Semaphore(most_on_a_node) for way in self.ways}

        def take(way: TapWay) -> None:
            with nodes[way.record.node]:
                way.trying(lambda: step(way, self._crew.cluster()))

        self._crew.each(take, self.left)

    def _refuse_if_none_is_left(self) -> None:
        if self.left:
            return
        if self.alone and self.ways[0].error is not None:
            raise self.ways[0].error
        raise Ended(State.FAILED, none_left([way.record.sentence or "" for way in self.ways]))


def none_left(sentences: Iterable[str]) -> str:
    """Why nothing came of any tap, as one sentence for all of them."""
    different = list(dict.fromkeys(sentences))
    shown = " ".join(different[:_SHOWN_SENTENCES])
    more = len(different) - _SHOWN_SENTENCES
    return f"{shown} The others failed likewise." if more > 0 else shown
