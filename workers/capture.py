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

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workers.agent.agent import NotMadeError
from workers.cluster.errors import ClusterError
from workers.delivery import deliver, deliver_stored
from workers.heart import WORKER
from workers.ledger.capture import SLACK, Capture
from workers.ledger.lease import LeaseLostError
from workers.ledger.states import IllegalMoveError, State
from workers.ledger.tap_record import TapRecord
from workers.packaging import begin_naming
from workers.permission import Judgement, judge
from workers.place import PlaceError
from workers.services import Services
from workers.several import delivery as several
from workers.tap.tap import NoTap
from workers.taps import agents
from workers.taps.around import Around, Found
from workers.taps.crew import Crew
from workers.taps.together import Together
from workers.work import Ended, Leaving, Work
from workers.working_folder import working_folder

log = logging.getLogger(__name__)

_INSIDE = "podcap made a mistake at this capture: whoever runs it finds `{}` in the worker's log."
_NO_LEDGER = (OperationalError, InterfaceError, PoolTimeoutError)
"""The database is out of reach, or busy; the others are mistakes in what it is told."""

_LEDGER_SECONDS = 600.0
_LEDGER_AGAIN_SECONDS = 2.0


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
        capture, lease = services.ledger.leases.take(capture_id, WORKER)
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
    records = work.services.ledger.taps.of(work.capture.id)
    with Crew(work, len(records)) as crew:
        if work.capture.stored_at is not None and _deliver_stored(work, records, crew):
            return
        together = Together(work, records, crew)
        judgement = _begun(work, together)
        # At a terminal nothing is shown of it.
        looked_at = together.ways if work.capture.origin == SLACK else ()
        around = Around(work, looked_at, logs=judgement.logs, late=together.joined)
        around.begin()
        together.follow()
        _deliver(work, together, around.end(crew), crew)


def _begun(work: Work, together: Together) -> Judgement:
    """Brings the taps to where their packets count; what the policy says of the capture."""
    if work.has_reached(State.CAPTURING):
        together.join()
        return _judged(work)
    judgement = _recheck(work)
    if work.lease.takeover and together.has_begun():
        together.join()
    else:
        together.prepare(judgement)
        together.begin()
    return judgement


def _judged(work: Work) -> Judgement:
    """For what may be read besides packets; of a place that does not answer, nothing."""
    try:
        return judge(work.services, work.capture)
    except PlaceError as error:
        log.warning("nothing but packets is read: %s", error)
        return Judgement(str(error))


def _deliver_stored(work: Work, records: Sequence[TapRecord], crew: Crew) -> bool:
    return deliver_stored(work) if len(records) == 1 else several.deliver_stored(work, records, crew)


def _deliver(work: Work, together: Together, founds: Mapping[int, Found], crew: Crew) -> None:
    # Nobody takes over from a terminal, and its packets may be read from it for long.
    keep = work.capture.origin == SLACK
    if not keep:
        agents.remove(work, crew.cluster())

    def stored() -> None:
        if keep:
            agents.remove(work, crew.cluster())

    if not together.alone:
        several.deliver(work, together, founds, crew, stored=stored)
        return
    (way,) = together.ways
    if way.report is not None:
        deliver(work, way.raw, way.report, way.seen, founds, stored=stored)


def _recheck(work: Work) -> Judgement:
    try:
        judgement = work.patiently(lambda: judge(work.services, work.capture))
    except PlaceError as error:
        raise Ended(State.FAILED, f"Whether this is allowed could not be asked: {error}") from error
    refusal = judgement.refusal or judgement.unapproved(work.capture)
    if refusal is not None:
        raise Ended(State.DENIED, refusal)
    return judgement


def _end(work: Work, state: State, sentence: str) -> None:
    """Ends the capture; nobody needs its agent pods any more."""
    agents.end(work)
    work.move(state, sentence=sentence)
