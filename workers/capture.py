"""One capture, from its place in the queue to its last word: the way of the data.

queued -> tapping      agent pod on the pod's node, evidence, tap
       -> capturing    tcpdump writes the spool, the worker follows it
       -> collecting   the rest of the spool, its length and hash compared; then the agent pod goes
       -> summarising  cut to headers where only those were asked for; flows
       -> delivering   file into the store, then summary and file to where it was asked for
       -> delivered, or stopped when somebody ended it early, or failed when packets are missing at its end

Once packets are captured, whatever breaks leaves a file of those that arrived, and one sentence that says why
there are no more.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from workers.agent import agent
from workers.agent.agent import AgentPod, NotMadeError
from workers.agent.pod_spec import AgentLimits, Owner, Profile
from workers.announcement import announced
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.cut.headers import SNAPLEN
from workers.delivery import deliver
from workers.heart import WORKER
from workers.ledger.capture import SLACK, Capture
from workers.ledger.ledger import IllegalMoveError
from workers.ledger.states import State
from workers.naming import Naming
from workers.permission import Judgement, judge
from workers.place import PlaceError
from workers.request.duration import LONGEST_SECONDS
from workers.services import Services
from workers.spool.partial import failed, lost
from workers.spool.report import SpoolReport
from workers.spool.spool import Spool, SpoolLimits, SpoolLostError
from workers.store_room import LARGEST_FILE
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.iflink import with_iflink
from workers.tap.proof import Watched
from workers.tap.tap import NoTap, Tap, decide, explain
from workers.tap.watch import watched
from workers.trail.facts import tapped
from workers.work import Ended, Work
from workers.working_folder import working_folder

log = logging.getLogger(__name__)

SPOOL_BYTES = LARGEST_FILE
"""The most that one capture writes on its node, and so the most that is stored and uploaded of it."""

SPOOL_PACKETS = 1_000_000
"""The most packets of one capture."""

_INSIDE = "podcap made a mistake at this capture: whoever runs it finds `{}` in the worker's log."
_ASK_STOP_SECONDS = 1.0


def run(services: Services, capture_id: str) -> None:
    """Makes a queued capture, to a final state; one that somebody else has is left alone."""
    with working_folder() as folder:
        work = _take(services, capture_id, folder)
        if work is not None:
            # A second delivery of the same id was not taken, and so never ends the first one's heartbeat.
            with services.heart.beating(capture_id):
                _to_its_end(work)


def _to_its_end(work: Work) -> None:
    try:
        _make(work)
    except Ended as end:
        _end(work, end.state, str(end))
    except IllegalMoveError as error:
        log.warning("it was ended by somebody else: %s", error)
    except (ClusterError, NoTap) as error:
        _end(work, State.FAILED, str(error))
    except Exception:
        log.exception("a capture failed inside")
        _end(work, State.FAILED, _INSIDE.format(work.capture.id))


def _take(services: Services, capture_id: str, folder: Path) -> Work | None:
    now = datetime.now(UTC)
    try:
        capture = services.ledger.get(capture_id)
        if capture.state is State.QUEUED and capture.expires_at <= now:
            return None  # beat says so in its thread
        capture = services.ledger.move(capture_id, State.TAPPING, by=WORKER, started_at=now)
    except KeyError:
        log.warning("there is no such capture")
        return None
    except IllegalMoveError as error:
        log.info("not taken: %s", error)
        return None
    work = Work(services, services.place.report(capture), capture, folder)
    work.show()
    return work


def _make(work: Work) -> None:
    judgement = _recheck(work)
    raw = work.folder / "spool.pcap"
    with work.services.cluster() as cluster:
        report, seen = _capture(work, cluster, raw, judgement)
    deliver(work, raw, report, seen)


def _recheck(work: Work) -> Judgement:
    try:
        judgement = judge(work.services, work.capture)
    except PlaceError as error:
        raise Ended(State.FAILED, f"Whether this is allowed could not be asked: {error}") from error
    if judgement.refusal is not None:
        raise Ended(State.DENIED, judgement.refusal)
    return judgement


def _capture(
    work: Work, cluster: Cluster, raw: Path, judgement: Judgement
) -> tuple[SpoolReport, Watched | None]:
    """Everything that needs an agent pod; it is gone afterwards.

    One that may enter network namespaces is made only when the evidence demands it and the policy allows it;
    where an earlier worker has made it, it serves from the beginning.
    """
    pod = cluster.running_pod(work.capture.namespace, work.capture.pod)
    with _agent_pod(work, cluster, pod.node or "", "host") as agent_pod:
        evidence = gather(agent_pod, pod, poll=work.give_up_if_stopped)
        if judgement.exec_in_pod:
            evidence = with_iflink(cluster, pod, evidence, poll=work.give_up_if_stopped)
        work.report.show_evidence(work.capture, pod, evidence)
        tap = decide(evidence, pod, may_enter=judgement.namespace_tap)
        if tap.pid is None or agent_pod.may_enter:
            return _at(work, cluster, agent_pod, pod, tap, evidence, raw)
    with _agent_pod(work, cluster, pod.node or "", "namespace") as agent_pod:
        # Seconds have passed, and only this one may read the namespace's inode.
        evidence = gather(agent_pod, pod, poll=work.give_up_if_stopped)
        tap = decide(evidence, pod, may_enter=True)
        return _at(work, cluster, agent_pod, pod, tap, evidence, raw)


def _at(
    work: Work, cluster: Cluster, agent_pod: AgentPod, pod: Pod, tap: Tap, evidence: Evidence, raw: Path
) -> tuple[SpoolReport, Watched | None]:
    """The capture at its tap."""
    work.note(
        pod_uid=pod.uid,
        node=tap.node,
        interface=tap.interface,
        tap=explain(tap),
        confidence=tap.confidence,
    )
    with announced(cluster, pod, work.capture):
        spool = _start(work, agent_pod, pod, tap, evidence)
        try:
            report = _follow(work, spool, raw)
        except SpoolLostError as error:
            return lost(raw, error), None
        if report.partial:
            return failed(report, cluster, pod, tap), None
        return report, watched(cluster, agent_pod, pod, tap, evidence)


def _start(work: Work, agent_pod: AgentPod, pod: Pod, tap: Tap, evidence: Evidence) -> Spool:
    capture = work.capture
    spool = Spool(agent_pod)
    work.give_up_if_stopped()
    limits = SpoolLimits(
        seconds=capture.seconds,
        packets=SPOOL_PACKETS,
        bytes=SPOOL_BYTES,
        snaplen=0 if capture.full else SNAPLEN,
        longest=_longest(capture),
    )
    facts = tapped(pod, tap, evidence, capture.filter, limits, agent_pod.pod)
    work.services.ledger.record(capture.id, "tapped", by=WORKER, facts=facts)
    heard = spool.start(tap, capture.filter, limits)
    work.compiled = tap.filter(capture.filter)
    work.naming = Naming(work.services.cluster, capture.namespace)
    work.naming.begin()
    work.move(State.CAPTURING, trail={"tcpdump": heard})
    return spool


def _follow(work: Work, spool: Spool, raw: Path) -> SpoolReport:
    work.report.follow(work.capture, raw)
    spool.follow(
        raw,
        on_progress=lambda progress: work.report.show_progress(work.capture, progress),
        should_stop=work.stop_asked,
        wanted_seconds=lambda: work.capture.seconds,
    )
    work.move(State.COLLECTING)
    if spool.seconds < work.capture.seconds:
        work.note(seconds=spool.seconds)
        work.say("The capture was to run longer, but it had ended by then.")
    return spool.finish(raw)


def _longest(capture: Capture) -> int:
    """Only in Slack can somebody ask for more time."""
    return LONGEST_SECONDS if capture.origin == SLACK else capture.seconds


@contextmanager
def _agent_pod(work: Work, cluster: Cluster, node: str, profile: Profile) -> Iterator[AgentPod]:
    """An agent pod that is gone when the block ends, however it ends."""
    settings = work.services.settings
    capture = work.capture
    refused = False
    try:
        yield agent.create(
            cluster,
            owner=Owner(capture.id, work.services.ledger.installation()),
            node=node,
            namespace=settings.agent_namespace,
            image=settings.required("PODCAP_AGENT_IMAGE"),
            limits=AgentLimits(seconds=_longest(capture), spool_bytes=SPOOL_BYTES, profile=profile),
            poll=work.give_up_if_stopped,
        )
    except NotMadeError:
        refused = True
        raise
    finally:
        try:
            if not work.is_lost():
                agent.delete(cluster, settings.agent_namespace, capture.id)
        except ClusterError as error:
            if not refused:
                # beat removes it when the cluster answers again.
                log.warning("the agent pod may be left: %s", error)


def _end(work: Work, state: State, sentence: str) -> None:
    try:
        work.move(state, sentence=sentence)
    except IllegalMoveError as error:
        log.warning("it was ended by somebody else: %s", error)
