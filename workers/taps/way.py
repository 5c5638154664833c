"""One tap of a capture on its way: from its pod to its packets here."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from workers.agent.agent import AgentPod
from workers.agent.pod_spec import SPOOL_DIRECTORY
from workers.announcement import announced
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.entrances import is_about_ports
from workers.ledger.lease import LeaseLostError
from workers.ledger.states import State
from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.permission import Judgement, targets_of
from workers.request.request import TargetKind
from workers.spool.partial import failed, lost
from workers.spool.progress import Progress
from workers.spool.report import SpoolReport
from workers.spool.spool import Spool, SpoolLostError
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.gather_uplink import api_servers, gather_uplink
from workers.tap.iflink import with_iflink
from workers.tap.proof import Watched
from workers.tap.tap import NoTap, Tap, decide, explain
from workers.tap.uplink import decide_uplink
from workers.tap.watch import watched
from workers.taps.limits import spool_limits
from workers.trail.facts import tap_of, tapped, tapped_at_uplink
from workers.trail.trail import Wanted
from workers.work import Leaving, Work

log = logging.getLogger(__name__)

_GOES_ON = (Leaving, LeaseLostError)
"""What ends the work on a capture, and not the capture."""


class TapWay:
    """One tap, in the hands of one thread at a time: `find`, `look`, `start`, `begin`, `follow`.

    A worker that takes over begins with `resume` in place of the first four. One that has `failed` is passed
    over from then on.

    Args:
        work: The capture.
        record: The tap as the ledger has it.
        of: How many the capture has.

    Attributes:
        record: As it is now.
        pod: The pod, once it was found.
        agent: The agent pod on its node.
        error: Why it failed; None as long as it did not.
        heard: What tcpdump said when it began to listen.
        compiled: The filter as tcpdump got it.
        progress: How far it is.
        raw: Where its packets go, as the node's spool has them.
        report: How the spool ended; None before.
        seen: What the node counted meanwhile, where that is known.
    """

    def __init__(self, work: Work, record: TapRecord, *, of: int) -> None:
        self._work = work
        self._of = of
        self._spool: Spool | None = None
        self._tap: Tap | None = None
        self._before: tuple[Pod, Tap, Evidence] | None = None
        self.record = record
        self.pod: Pod | None = None
        self.agent: AgentPod | None = None
        self.error: ClusterError | NoTap | None = None
        self.heard = self.compiled = ""
        self.progress = Progress(0, 0, 0.0)
        self.raw = work.folder / (f"spool-{record.number}.pcap" if of > 1 else "spool.pcap")
        self.report: SpoolReport | None = None
        self.seen: Watched | None = None

    @property
    def directory(self) -> str:
        """Where its spool lies in the agent pod."""
        return f"{SPOOL_DIRECTORY}/{self.record.number}" if self._of > 1 else SPOOL_DIRECTORY

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes of the pod, as far as they are known."""
        return () if self._before is None else tuple(one.pid for one in self._before[2].processes)

    @property
    def failed(self) -> bool:
        """Whether nothing more will come of it."""
        return self.record.state is TapState.FAILED

    def trying(self, step: Callable[[], None]) -> None:
        """Takes a step; what goes wrong there is this tap's alone."""
        if self.failed:
            return
        try:
            step()
        except (ClusterError, NoTap) as error:
            self.fail(error)

    def fail(self, error: ClusterError | NoTap) -> None:
        """Nothing comes of it."""
        # Where there is no other, the capture ends with the same sentence.
        log.log(logging.WARNING if self._of > 1 else logging.INFO, "%s: %s", self.record.name, error)
        self.error = error
        self._note(state=TapState.FAILED, sentence=str(error))

    def find(self, cluster: Cluster) -> None:
        """Finds the pod, running; of an uplink there is none.

        Raises:
            ClusterError: There is none.
        """
        record = self.record
        if record.kind is TapKind.UPLINK:
            return
        self.pod = self._work.patiently(lambda: cluster.running_pod(record.namespace, record.pod))
        if self.pod.node != record.node:
            self._note(node=self.pod.node)

    def look(self, cluster: Cluster, agent_pod: AgentPod, judgement: Judgement) -> bool:
        """Decides the tap from what the node says.

        Returns:
            Whether this agent pod can capture there; else one is needed that may enter network namespaces,
            and with it is to be looked once more.

        Raises:
            NoTap: Nothing is certain, or not allowed.
            ClusterError: The node was not asked.
        """
        work, pod = self._work, self.pod
        self.agent = agent_pod
        if self.record.kind is TapKind.UPLINK:
            self._refuse_unless_allowed(judgement)
            network = work.patiently(lambda: gather_uplink(agent_pod, poll=work.give_up_if_stopped))
            here, addresses = self.record.node or "", self.record.addresses
            self._tap = decide_uplink(network, here, addresses, api_servers(cluster))
            return True
        if pod is None:
            raise ValueError("nobody has found it yet")
        evidence = work.patiently(lambda: gather(agent_pod, pod, poll=work.give_up_if_stopped))
        if judgement.exec_in_pod:
            evidence = with_iflink(cluster, pod, evidence, poll=work.give_up_if_stopped)
        work.report.show_evidence(work.capture, pod, evidence)
        tap = decide(evidence, pod, may_enter=judgement.namespace_tap)
        self._tap = tap
        self._before = pod, tap, evidence
        return tap.pid is None or agent_pod.may_enter

    def _refuse_unless_allowed(self, judgement: Judgement) -> None:
        """A node that was asked for was judged as such; the policy may not let a Service be entered any more.

        Raises:
            NoTap: It does not.
        """
        target = targets_of(self._work.capture)[0][self.record.target]
        if target.kind is not TargetKind.NODE and target.namespace not in judgement.uplinks:
            raise NoTap("The policy does not allow uplinks for this Service any more.")

    def start(self, cluster: Cluster, *, here: int) -> None:
        """Starts tcpdump where `look` found; one of several waits for its beginning.

        Args:
            cluster: For this thread.
            here: How many taps are on its node.

        Raises:
            ClusterError: It does not start.
        """
        work, capture = self._work, self._work.capture
        agent_pod, tap = self._known(cluster)
        pod = self.pod
        where = {"interface": tap.interface, "tap": explain(tap), "confidence": tap.confidence}
        if pod is not None:
            where["pod_uid"] = pod.uid
        if self._of == 1:
            work.note(node=tap.node, **where)
        self._spool = Spool(agent_pod, directory=self.directory)
        work.give_up_if_stopped()
        limits = spool_limits(capture, taps=self._of, here=here)
        if self._before is None:
            facts = tapped_at_uplink(tap, self._wanted(), limits, agent_pod.pod)
        else:
            facts = tapped(*self._before, self._wanted(), limits, agent_pod.pod)
        work.record("tapped", {"tap": self.record.number, **facts}, tap=self.record)
        self.heard = self._spool.start(tap, self._wanted(), limits)
        self.compiled = tap.filter(self._wanted())
        addresses = self.record.addresses if pod is None else pod.ips
        self._note(state=TapState.READY, node=tap.node, addresses=addresses, **where)

    def _wanted(self) -> str:
        """The filter asked for, with what narrows this tap besides."""
        own, asked = self.record.filter, self._work.capture.filter
        if own and is_about_ports(asked):
            asked = ""  # those of the pods: here are the Service's
        parts = [part for part in (own, asked) if part]
        return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)

    def _known(self, cluster: Cluster) -> tuple[AgentPod, Tap]:
        if self.agent is None or self._tap is None:
            raise ValueError("nobody has looked yet")
        return replace(self.agent, cluster=cluster), self._tap

    def begin(self, began: int | None) -> None:
        """Its packets count from now on; `began` is the node's time, in nanoseconds since 1970."""
        if self._spool is not None:
            self._spool.has_begun()
        self._note(state=TapState.CAPTURING, began=began)

    def resume(self, cluster: Cluster, agent_pod: AgentPod) -> None:
        """Takes up what an earlier worker began: agent pod and spool are there, whatever became of the pod.

        Raises:
            ClusterError: The agent pod is not reached.
        """
        work = self._work
        self.agent = agent_pod
        facts = self._facts()
        self.compiled = facts.get("filter_compiled", "")
        if work.capture.state is State.CAPTURING:
            self._before = self._look_again(cluster, agent_pod, facts)
            self.pod = None if self._before is None else self._before[0]
        limits = spool_limits(work.capture, taps=self._of)
        self._spool = Spool(agent_pod, directory=self.directory)
        self._spool.resume(limits, since=self._captured_for())

    def _look_again(
        self, cluster: Cluster, agent_pod: AgentPod, facts: Mapping[str, Any]
    ) -> tuple[Pod, Tap, Evidence] | None:
        """What the node counts from now on is compared with the capture; None where that proves nothing."""
        record = self.record
        if not facts or record.kind is TapKind.UPLINK:
            return None
        try:
            pod = cluster.running_pod(record.namespace, record.pod)
            if pod.uid != facts["pod_uid"]:
                return None
            evidence = gather(agent_pod, pod, poll=self._work.refuse_if_leaving)
        except ClusterError as error:
            log.info("the capture will not be compared with the node's counters: %s", error)
            return None
        return pod, tap_of(facts), evidence

    def _facts(self) -> Mapping[str, Any]:
        """What the trail knows of where it was tapped; nothing when it was not."""
        wanted = Wanted(capture_id=self._work.capture.id, event="tapped")
        entries = [json.loads(entry.facts) for entry in self._work.services.ledger.trail.entries(wanted)]
        found: dict[str, Any] = next(
            (facts for facts in reversed(entries) if facts.get("tap", 0) == self.record.number), {}
        )
        return found

    def _captured_for(self) -> float:
        """Seconds since the beginning, by the clocks of two workers: for the progress bar."""
        capture = self._work.capture
        wanted = Wanted(capture_id=capture.id, event=State.CAPTURING)
        entries = list(self._work.services.ledger.trail.entries(wanted))
        if not entries:
            return 0.0
        began = datetime.fromisoformat(entries[-1].at)
        return min(max(0.0, (datetime.now(UTC) - began).total_seconds()), float(capture.seconds))

    def follow(self, cluster: Cluster, *, over: Callable[[int], None]) -> None:
        """Brings everything that tcpdump writes here until it has ended.

        Args:
            cluster: For this thread.
            over: Called once nothing more is captured, with the duration as the node knows it.

        Raises:
            ClusterError: What arrived is not what the node has.
        """
        if self.agent is not None and self._spool is not None:
            self.agent = self._spool.agent = replace(self.agent, cluster=cluster)
        if self._before is None or self.agent is None:
            report = self._collect(cluster, over)
        else:
            pod, tap, evidence = self._before
            with announced(cluster, pod, self._work.capture, unless=_GOES_ON):
                report = self._collect(cluster, over)
                if not report.partial:
                    self.seen = watched(cluster, self.agent, pod, tap, evidence)
        self.report = report
        self._note(
            state=TapState.COLLECTED if report.packets_captured or not report.partial else TapState.FAILED,
            packets=report.packets_captured,
            bytes=report.bytes,
            dropped=report.packets_dropped_by_kernel,
            ended_by=report.ended_by,
            spool_sha256=report.sha256,
            sentence=report.error or None,
            **({} if report.began is None else {"began": report.began}),
        )

    def _collect(self, cluster: Cluster, over: Callable[[int], None]) -> SpoolReport:
        """All that tcpdump writes, and how it ended; or what arrived of it."""
        try:
            report = self._follow(over)
        except SpoolLostError as error:
            return lost(self.raw, error)
        return failed(report, cluster, self.record) if report.partial else report

    def _follow(self, over: Callable[[int], None]) -> SpoolReport:
        work, spool = self._work, self._spool
        if spool is None:
            raise ValueError("nothing was started")
        spool.follow(
            self.raw,
            on_progress=self._show_progress,
            should_stop=work.stop_asked,
            wanted_seconds=lambda: work.capture.seconds,
        )
        over(spool.seconds)
        return spool.finish(self.raw)

    def _show_progress(self, progress: Progress) -> None:
        self.progress = progress
        if self._of == 1 and self._work.capture.state is State.CAPTURING:
            self._work.report.show_progress(self._work.capture, progress)

    def _note(self, **facts: Any) -> None:
        self.record = self._work.note_tap(self.record, **facts)
