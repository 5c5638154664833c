"""One capture, from its place in the queue to its last word: the way of the data.

queued -> tapping      agent pod on the pod's node, evidence, tap
       -> capturing    tcpdump writes the spool, the worker follows it
       -> collecting   the rest of the spool, its length and hash compared
       -> summarising  cut to headers where only those were asked for; flows
       -> delivering   file into the store, then summary and file to where it was asked for; once the file is
                       in the store the agent pod goes, and its spool with it
       -> delivered, or stopped when somebody ended it early, or failed when packets are missing at its end

Once packets are captured, whatever breaks leaves a file of those that arrived, and one sentence that says why
there are no more.

A worker that takes a capture over goes the same way again, from what is there: the agent pod and its spool,
or the file in the store. Moves that were made already are passed over. A worker that is told to end lets its
captures go where they are, while tcpdump runs on.
"""

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workers.agent import agent
from workers.agent.agent import AgentPod, NotMadeError
from workers.agent.pod_spec import AgentLimits, Owner, Profile
from workers.announcement import announced
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, ForbiddenError, UnauthenticatedError
from workers.cluster.pod import Pod
from workers.cut.headers import SNAPLEN
from workers.delivery import deliver, deliver_stored
from workers.heart import WORKER
from workers.ledger.capture import SLACK, Capture
from workers.ledger.ledger import IllegalMoveError, LeaseLostError
from workers.ledger.states import State
from workers.packaging import begin_naming
from workers.permission import Judgement, judge
from workers.place import PlaceError
from workers.request.duration import LONGEST_SECONDS
from workers.services import Services
from workers.spool.partial import failed, lost
from workers.spool.progress import Progress
from workers.spool.report import SpoolReport
from workers.spool.spool import Spool, SpoolLimits, SpoolLostError
from workers.store_room import LARGEST_FILE
from workers.tap.evidence import Evidence
from workers.tap.gather import gather
from workers.tap.iflink import with_iflink
from workers.tap.proof import Watched
from workers.tap.tap import NoTap, Tap, decide, explain
from workers.tap.watch import watched
from workers.trail.facts import tap_of, tapped
from workers.trail.trail import Wanted
from workers.work import Ended, Leaving, Work
from workers.working_folder import working_folder

log = logging.getLogger(__name__)

SPOOL_BYTES = LARGEST_FILE
"""The most that one capture writes on its node, and so the most that is stored and uploaded of it."""

SPOOL_PACKETS = 1_000_000
"""The most packets of one capture."""

_INSIDE = "podcap made a mistake at this capture: whoever runs it finds `{}` in the worker's log."
_GONE = (
    "The worker at this capture ended, and when another one came the agent pod with its packets was gone: "
    "ask again."
)
_NO_LEDGER = (OperationalError, InterfaceError, PoolTimeoutError)
"""The database is out of reach, or busy; the others are mistakes in what it is told."""

_LEDGER_SECONDS = 600.0
_LEDGER_AGAIN_SECONDS = 2.0
_FIND_SECONDS = 60.0
_FIND_AGAIN_SECONDS = 1.0


def run(services: Services, capture_id: str) -> Capture | None:
    """Makes a capture that is queued, or that lost its worker, to a final state.

    One that somebody else has is left alone.

    Returns:
        The capture when this process is to end, and another worker is to go on with it.
    """
    if services.leaving.is_set():
        return None
    with working_folder() as folder:
        work = _take(services, capture_id, folder)
        if work is None:
            return None
        # A second delivery of the same id was not taken, and so never ends the first one's heartbeat.
        with services.heart.beating(work.lease):
            return _to_its_end(work)


def _to_its_end(work: Work) -> Capture | None:
    try:
        try:
            work.show()
            _make(work)
        except Ended as end:
            _end(work, end.state, str(end))
        except NotMadeError as error:
            work.move(State.FAILED, sentence=str(error))
        except (ClusterError, NoTap) as error:
            _end(work, State.FAILED, str(error))
        except Leaving:
            log.info("another worker goes on with it")
            return work.let_go()
    except LeaseLostError as error:
        log.warning("nothing more is done: %s", error)
    except IllegalMoveError as error:
        log.warning("it was ended by somebody else: %s", error)
    except _NO_LEDGER as error:
        log.warning("the ledger did not answer, so the capture is begun again from where it is: %s", error)
        return _let_go_when_it_answers(work)
    except Exception:
        log.exception("a capture failed inside")
        _try_to_end(work, _INSIDE.format(work.capture.id))
    return None


def _let_go_when_it_answers(work: Work) -> Capture | None:
    """Its heart beats until then; when it takes too long, beat finds that it does not."""
    until = time.monotonic() + _LEDGER_SECONDS
    while time.monotonic() < until:
        try:
            return work.let_go()
        except LeaseLostError as error:
            log.warning("nothing more is done: %s", error)
            return None
        except _NO_LEDGER:
            if work.services.leaving.wait(_LEDGER_AGAIN_SECONDS):
                return None
    return None


def _try_to_end(work: Work, sentence: str) -> None:
    """When that fails, too, the heart has stopped beating: another worker takes it over."""
    try:
        _end(work, State.FAILED, sentence)
    except IllegalMoveError as error:
        log.warning("it was ended by somebody else: %s", error)


def _take(services: Services, capture_id: str, folder: Path) -> Work | None:
    try:
        capture, lease = services.ledger.take(capture_id, WORKER)
    except KeyError:
        log.warning("there is no such capture")
        return None
    except IllegalMoveError as error:
        log.info("not taken: %s", error)
        return None
    if lease.takeover:
        log.info("taken over, %s", capture.state)
    report = services.place.report(capture, lease)
    return Work(services, report, capture, lease, folder, agent_pod_asked=lease.takeover)


def _make(work: Work) -> None:
    if work.lease.takeover and work.has_reached(State.CAPTURING):
        begin_naming(work)
    if work.capture.stored_at is not None and deliver_stored(work):
        return
    raw = work.folder / "spool.pcap"
    with work.services.cluster() as cluster:
        if work.has_reached(State.CAPTURING):
            report, seen = _go_on(work, cluster, raw)
        else:
            judgement = _recheck(work)
            begun = work.lease.takeover and _has_begun(work, cluster)
            report, seen = _go_on(work, cluster, raw) if begun else _capture(work, cluster, raw, judgement)
        # Nobody takes over from a terminal, and its packets may be read from it for long.
        keep = work.capture.origin == SLACK
        if not keep:
            _remove_agent_pod(work, cluster)
        deliver(work, raw, report, seen, stored=lambda: _remove_agent_pod(work, cluster) if keep else None)


def _recheck(work: Work) -> Judgement:
    try:
        judgement = work.patiently(lambda: judge(work.services, work.capture))
    except PlaceError as error:
        raise Ended(State.FAILED, f"Whether this is allowed could not be asked: {error}") from error
    refusal = judgement.refusal or judgement.unapproved(work.capture)
    if refusal is not None:
        raise Ended(State.DENIED, refusal)
    return judgement


def _capture(
    work: Work, cluster: Cluster, raw: Path, judgement: Judgement
) -> tuple[SpoolReport, Watched | None]:
    """Everything that needs an agent pod.

    One that may enter network namespaces is made only when the evidence demands it and the policy allows it;
    where an earlier worker has made it, it serves from the beginning.
    """
    pod = work.patiently(lambda: cluster.running_pod(work.capture.namespace, work.capture.pod))
    agent_pod = _agent_pod(work, cluster, pod.node or "", "host")
    evidence = _evidence(work, agent_pod, pod)
    if judgement.exec_in_pod:
        evidence = with_iflink(cluster, pod, evidence, poll=work.give_up_if_stopped)
    work.report.show_evidence(work.capture, pod, evidence)
    tap = decide(evidence, pod, may_enter=judgement.namespace_tap)
    if tap.pid is not None and not agent_pod.may_enter:
        _remove_agent_pod(work, cluster)
        agent_pod = _agent_pod(work, cluster, pod.node or "", "namespace")
        # Seconds have passed, and only this one may read the namespace's inode.
        evidence = _evidence(work, agent_pod, pod)
        tap = decide(evidence, pod, may_enter=True)
    return _at(work, cluster, agent_pod, pod, tap, evidence, raw)


def _evidence(work: Work, agent_pod: AgentPod, pod: Pod) -> Evidence:
    return work.patiently(lambda: gather(agent_pod, pod, poll=work.give_up_if_stopped))


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
    with announced(cluster, pod, work.capture, unless=_GOES_ON):
        spool = _start(work, agent_pod, pod, tap, evidence)
        report = _collect(work, cluster, spool, raw)
        seen = None if report.partial else watched(cluster, agent_pod, pod, tap, evidence)
        return report, seen


_GOES_ON = (Leaving, LeaseLostError)
"""What ends the work on a capture, and not the capture."""


def _has_begun(work: Work, cluster: Cluster) -> bool:
    """Whether an earlier worker started tcpdump and did not live to write that down; then that is done.

    Where it captures stands in the trail; decided anew, the tap might be another one than that.
    """
    found = _find(work, cluster)
    heard = "" if found is None else Spool(found).heard()
    if heard:
        begin_naming(work)
        work.move(State.CAPTURING, trail={"tcpdump": heard})
    return bool(heard)


def _go_on(work: Work, cluster: Cluster, raw: Path) -> tuple[SpoolReport, Watched | None]:
    """What an earlier worker began: agent pod and spool are there, whatever became of the pod meanwhile."""
    agent_pod = _find_agent_pod(work, cluster)
    work.compiled = _last_facts(work, "tapped").get("filter_compiled", "")
    running = work.capture.state is State.CAPTURING
    before = _look_again(work, cluster, agent_pod) if running else None
    spool = Spool(agent_pod)
    spool.resume(_limits(work.capture), since=_captured_for(work))
    if before is None:
        return _collect(work, cluster, spool, raw), None
    pod, tap, evidence = before
    with announced(cluster, pod, work.capture, unless=_GOES_ON, begun=True):
        report = _collect(work, cluster, spool, raw)
        seen = None if report.partial else watched(cluster, agent_pod, pod, tap, evidence)
        return report, seen


def _find_agent_pod(work: Work, cluster: Cluster) -> AgentPod:
    until = time.monotonic() + _FIND_SECONDS
    while True:
        work.refuse_if_leaving()
        try:
            found = _find(work, cluster)
        except (ForbiddenError, UnauthenticatedError):
            raise
        except ClusterError as error:
            if time.monotonic() > until:
                raise
            log.info("the agent pod is looked for again: %s", error)
            time.sleep(_FIND_AGAIN_SECONDS)
            continue
        if found is None:
            said = work.capture.sentence
            raise Ended(State.FAILED, f"{said} {_GONE}" if said else _GONE)
        return found


def _find(work: Work, cluster: Cluster) -> AgentPod | None:
    owner = Owner(work.capture.id, work.services.ledger.installation())
    return agent.find(cluster, owner=owner, namespace=work.services.settings.agent_namespace)


def _look_again(work: Work, cluster: Cluster, agent_pod: AgentPod) -> tuple[Pod, Tap, Evidence] | None:
    """What the node counts from now on is compared with the capture; None where that proves nothing."""
    capture = work.capture
    where = _last_facts(work, "tapped")
    if not where:
        return None
    try:
        pod = cluster.running_pod(capture.namespace, capture.pod)
        if pod.uid != capture.pod_uid:
            return None
        evidence = gather(agent_pod, pod, poll=work.refuse_if_leaving)
    except ClusterError as error:
        log.info("the capture will not be compared with the node's counters: %s", error)
        return None
    return pod, tap_of(where), evidence


def _last_facts(work: Work, event: str) -> Mapping[str, Any]:
    """What the trail knows of the capture's last event of a kind; nothing when there was none."""
    wanted = Wanted(capture_id=work.capture.id, event=event, newest=1)
    return next((json.loads(entry.facts) for entry in work.services.ledger.trail.entries(wanted)), {})


def _captured_for(work: Work) -> float:
    """Seconds since tcpdump began, by the clocks of two workers: for the progress bar."""
    entries = list(
        work.services.ledger.trail.entries(Wanted(capture_id=work.capture.id, event=State.CAPTURING))
    )
    if not entries:
        return 0.0
    began = datetime.fromisoformat(entries[-1].at)
    return min(max(0.0, (datetime.now(UTC) - began).total_seconds()), float(work.capture.seconds))


def _limits(capture: Capture) -> SpoolLimits:
    return SpoolLimits(
        seconds=capture.seconds,
        packets=SPOOL_PACKETS,
        bytes=SPOOL_BYTES,
        snaplen=0 if capture.full else SNAPLEN,
        longest=_longest(capture),
    )


def _start(work: Work, agent_pod: AgentPod, pod: Pod, tap: Tap, evidence: Evidence) -> Spool:
    capture = work.capture
    spool = Spool(agent_pod)
    work.give_up_if_stopped()
    limits = _limits(capture)
    work.record("tapped", tapped(pod, tap, evidence, capture.filter, limits, agent_pod.pod))
    heard = spool.start(tap, capture.filter, limits)
    work.compiled = tap.filter(capture.filter)
    begin_naming(work)
    work.move(State.CAPTURING, trail={"tcpdump": heard})
    return spool


def _collect(work: Work, cluster: Cluster, spool: Spool, raw: Path) -> SpoolReport:
    """All that tcpdump writes, and how it ended; or what arrived of it."""
    try:
        report = _follow(work, spool, raw)
    except SpoolLostError as error:
        return lost(raw, error)
    return failed(report, cluster, work.capture) if report.partial else report


def _follow(work: Work, spool: Spool, raw: Path) -> SpoolReport:
    work.report.follow(work.capture, raw)
    spool.follow(
        raw,
        on_progress=lambda progress: _show_progress(work, progress),
        should_stop=work.stop_asked,
        wanted_seconds=lambda: work.capture.seconds,
    )
    work.advance(State.COLLECTING)
    if spool.seconds < work.capture.seconds:
        work.note(seconds=spool.seconds)
        work.say("The capture was to run longer, but it had ended by then.")
    return spool.finish(raw)


def _show_progress(work: Work, progress: Progress) -> None:
    if work.capture.state is State.CAPTURING:
        work.report.show_progress(work.capture, progress)


def _longest(capture: Capture) -> int:
    """Only in Slack can somebody ask for more time."""
    return LONGEST_SECONDS if capture.origin == SLACK else capture.seconds


def _agent_pod(work: Work, cluster: Cluster, node: str, profile: Profile) -> AgentPod:
    """The capture's agent pod, running. It is there until its packets are safe, or the capture has ended."""
    settings = work.services.settings
    capture = work.capture
    work.agent_pod_asked = True
    return work.patiently(
        lambda: agent.create(
            cluster,
            owner=Owner(capture.id, work.services.ledger.installation()),
            node=node,
            namespace=settings.agent_namespace,
            image=settings.required("PODCAP_AGENT_IMAGE"),
            limits=AgentLimits(seconds=_longest(capture), spool_bytes=SPOOL_BYTES, profile=profile),
            poll=work.give_up_if_stopped,
        )
    )


def _remove_agent_pod(work: Work, cluster: Cluster) -> None:
    """Only whoever has the capture removes its agent pod: another worker may be reading from it."""
    work.refuse_if_lost()
    try:
        agent.delete(cluster, work.services.settings.agent_namespace, work.capture.id)
    except ClusterError as error:
        # beat removes it when the cluster answers again.
        log.warning("the agent pod may be left: %s", error)


def _end(work: Work, state: State, sentence: str) -> None:
    """Ends the capture; nobody needs its agent pod any more."""
    if work.agent_pod_asked:
        _end_agent_pod(work)
    work.move(state, sentence=sentence)


def _end_agent_pod(work: Work) -> None:
    try:
        with work.services.cluster() as cluster:
            _remove_agent_pod(work, cluster)
    except ClusterError as error:
        log.warning("the agent pod may be left: %s", error)
