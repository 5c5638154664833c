"""One tap of a capture on its way: from its pod to its packets here."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.agent.agent import AgentPod
from workers.announcement import announced
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.ledger.lease import LeaseLostError
from workers.ledger.states import State
from workers.permission import Judgement
from workers.spool.partial import failed, lost
from workers.spool.progress import Progress
from workers.spool.report import SpoolReport
from workers.spool.spool import Spool, SpoolLostError
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.iflink import with_iflink
from workers.tap.proof import Watched
from workers.tap.tap import Tap, decide, explain
from workers.tap.watch import watched
from workers.taps.limits import spool_limits
from workers.trail.facts import tap_of, tapped
from workers.trail.trail import Wanted
from workers.work import Leaving, Work

log = logging.getLogger(__name__)

_GOES_ON = (Leaving, LeaseLostError)
"""What ends the work on a capture, and not the capture."""


class TapWay:
    """One tap, in the hands of one thread at a time: `find`, `look`, `start`, `follow`.

    A worker that takes over begins with `resume` in place of the first three.

    Args:
        work: The capture.
        raw: Where its packets go, as the node's spool has them.

    Attributes:
        report: How the spool ended; None before.
        seen: What the node counted meanwhile, where that is known.
    """

    def __init__(self, work: Work, raw: Path) -> None:
        self._work = work
        self._agent: AgentPod | None = None
        self._spool: Spool | None = None
        self._before: tuple[Pod, Tap, Evidence] | None = None
        self._resumed = False
        self.raw = raw
        self.report: SpoolReport | None = None
        self.seen: Watched | None = None

    def find(self, cluster: Cluster) -> Pod:
        """The pod, running.

        Raises:
            ClusterError: There is none.
        """
        capture = self._work.capture
        return self._work.patiently(lambda: cluster.running_pod(capture.namespace, capture.pod))

    def look(self, cluster: Cluster, agent_pod: AgentPod, pod: Pod, judgement: Judgement) -> bool:
        """Decides the tap from what the node says.

        Returns:
            Whether this agent pod can capture there; else one is needed that may enter network namespaces,
            and with it is to be looked once more.

        Raises:
            NoTap: Nothing is certain, or not allowed.
            ClusterError: The node was not asked.
        """
        work = self._work
        evidence = work.patiently(lambda: gather(agent_pod, pod, poll=work.give_up_if_stopped))
        if judgement.exec_in_pod:
            evidence = with_iflink(cluster, pod, evidence, poll=work.give_up_if_stopped)
        work.report.show_evidence(work.capture, pod, evidence)
        tap = decide(evidence, pod, may_enter=judgement.namespace_tap)
        self._agent = agent_pod
        self._before = pod, tap, evidence
        return tap.pid is None or agent_pod.may_enter

    def start(self) -> str:
        """Starts tcpdump where `look` found; its own line.

        Raises:
            ClusterError: It does not start.
        """
        work, capture = self._work, self._work.capture
        agent_pod, (pod, tap, evidence) = self._known()
        work.note(
            pod_uid=pod.uid,
            node=tap.node,
            interface=tap.interface,
            tap=explain(tap),
            confidence=tap.confidence,
        )
        self._spool = Spool(agent_pod)
        work.give_up_if_stopped()
        limits = spool_limits(capture)
        work.record("tapped", tapped(pod, tap, evidence, capture.filter, limits, agent_pod.pod))
        heard = self._spool.start(tap, capture.filter, limits)
        work.compiled = tap.filter(capture.filter)
        return heard

    def _known(self) -> tuple[AgentPod, tuple[Pod, Tap, Evidence]]:
        if self._agent is None or self._before is None:
            raise ValueError("nobody has looked yet")
        return self._agent, self._before

    def resume(self, cluster: Cluster, agent_pod: AgentPod) -> None:
        """Takes up what an earlier worker began: agent pod and spool are there, whatever became of the pod.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        work = self._work
        self._agent = agent_pod
        work.compiled = self._last_facts("tapped").get("filter_compiled", "")
        if work.capture.state is State.CAPTURING:
            self._before = self._look_again(cluster, agent_pod)
        self._spool = Spool(agent_pod)
        self._spool.resume(spool_limits(work.capture), since=self._captured_for())

    def _look_again(self, cluster: Cluster, agent_pod: AgentPod) -> tuple[Pod, Tap, Evidence] | None:
        """What the node counts from now on is compared with the capture; None where that proves nothing."""
        capture = self._work.capture
        where = self._last_facts("tapped")
        if not where:
            return None
        try:
            pod = cluster.running_pod(capture.namespace, capture.pod)
            if pod.uid != capture.pod_uid:
                return None
            evidence = gather(agent_pod, pod, poll=self._work.refuse_if_leaving)
        except ClusterError as error:
            log.info("the capture will not be compared with the node's counters: %s", error)
            return None
        return pod, tap_of(where), evidence

    def _last_facts(self, event: str) -> Mapping[str, Any]:
        """What the trail knows of the capture's last event of a kind; nothing when there was none."""
        wanted = Wanted(capture_id=self._work.capture.id, event=event, newest=1)
        trail = self._work.services.ledger.trail
        return next((json.loads(entry.facts) for entry in trail.entries(wanted)), {})

    def _captured_for(self) -> float:
        """Seconds since tcpdump began, by the clocks of two workers: for the progress bar."""
        capture = self._work.capture
        wanted = Wanted(capture_id=capture.id, event=State.CAPTURING)
        entries = list(self._work.services.ledger.trail.entries(wanted))
        if not entries:
            return 0.0
        began = datetime.fromisoformat(entries[-1].at)
        return min(max(0.0, (datetime.now(UTC) - began).total_seconds()), float(capture.seconds))

    def follow(self, cluster: Cluster) -> SpoolReport:
        """Brings everything that tcpdump writes here until it has ended; how it did."""
        if self._before is None or self._agent is None:
            self.report = self._collect(cluster)
            return self.report
        pod, tap, evidence = self._before
        with announced(cluster, pod, self._work.capture, unless=_GOES_ON):
            self.report = self._collect(cluster)
            if not self.report.partial:
                self.seen = watched(cluster, self._agent, pod, tap, evidence)
        return self.report

    def _collect(self, cluster: Cluster) -> SpoolReport:
        """All that tcpdump writes, and how it ended; or what arrived of it."""
        try:
            report = self._follow()
        except SpoolLostError as error:
            return lost(self.raw, error)
        return failed(report, cluster, self._work.capture) if report.partial else report

    def _follow(self) -> SpoolReport:
        work, spool = self._work, self._spool
        if spool is None:
            raise ValueError("nothing was started")
        work.report.follow(work.capture, self.raw)
        spool.follow(
            self.raw,
            on_progress=self._show_progress,
            should_stop=work.stop_asked,
            wanted_seconds=lambda: work.capture.seconds,
        )
        work.advance(State.COLLECTING)
        if spool.seconds < work.capture.seconds:
            work.note(seconds=spool.seconds)
            work.say("The capture was to run longer, but it had ended by then.")
        return spool.finish(self.raw)

    def _show_progress(self, progress: Progress) -> None:
        if self._work.capture.state is State.CAPTURING:
            self._work.report.show_progress(self._work.capture, progress)
