"""What the steps of one capture share while a worker is at it."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from workers.cluster.errors import ExecCutError, UnreachableError
from workers.ledger.capture import SLACK, Capture
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.states import ACTIVE, State
from workers.ledger.tap_record import TapRecord
from workers.naming import Naming
from workers.place import PlaceError
from workers.report import Report
from workers.services import Services
from workers.trail.trail import Wanted

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_ASK_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS, _PATIENCE_AT_A_TERMINAL = 60.0, 5.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0

_WAY = (State.TAPPING, State.CAPTURING, State.COLLECTING, State.SUMMARISING, State.DELIVERING)


class Ended(Exception):  # noqa: N818, an end that is no fault
    """The capture ends here, in `state`; the message is its sentence."""

    def __init__(self, state: State, sentence: str = "") -> None:
        super().__init__(sentence)
        self.state = state


class Leaving(Exception):  # noqa: N818, an end that is no fault
    """This process was told to end: another worker goes on with the capture, from where it is."""


@dataclass
class Work:
    """One capture in this worker's hands, its report, and a folder that is removed afterwards.

    Everything it writes is written only while it holds the lease; whatever raises LeaseLostError ends the
    work.

    Attributes:
        agent_pod_asked: Whether there may be an agent pod of it.
        naming: The names of the cluster's addresses, on their way since packets are captured.
        compiled: The capture filter as tcpdump got it.
        broken: What ended the work at one of several taps, and so ends it at all of them.
    """

    services: Services
    report: Report
    capture: Capture
    lease: Lease
    folder: Path
    agent_pod_asked: bool = False
    naming: Naming | None = None
    compiled: str = ""
    broken: BaseException | None = None
    # Of the threads that are at its taps one at a time writes, or looks for what others wrote.
    _writing: Any = field(default_factory=threading.RLock, repr=False)
    _asked_at: float = field(default=0.0, repr=False)

    def move(self, state: State, *, trail: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Moves the capture and shows it; a place that cannot be reached does not stop the work.

        Args:
            state: The new state.
            trail: What only the trail is to know.
            facts: What ledger and trail are to know.

        Raises:
            LeaseLostError: Another worker has it.
            IllegalMoveError: Somebody else has ended it.
        """
        with self._writing:
            self.capture = self.services.ledger.move_held(self.lease, state, trail=trail, **facts)
        log.info("%s", state)
        self.show()

    def advance(self, state: State, *, trail: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Moves the capture, as `move`, unless an earlier worker has brought it that far already."""
        if not self.has_reached(state):
            self.move(state, trail=trail, **facts)

    def has_reached(self, state: State) -> bool:
        """Whether it has come as far as `state` on a worker's way."""
        return _WAY.index(self.capture.state) >= _WAY.index(state)

    def is_lost(self) -> bool:
        """Whether another worker has it, or will: this one hung for so long that it was taken for dead."""
        try:
            return not self.services.ledger.leases.holds(self.lease)
        except SQLAlchemyError:
            return False  # Nobody can have been given it meanwhile.

    def refuse_if_lost(self) -> None:
        """For the moment before something outside is changed, which the ledger cannot refuse.

        Raises:
            LeaseLostError: Another worker has it.
        """
        if self.is_lost():
            raise LeaseLostError(f"{self.capture.id} was given to another worker")

    def note(self, **facts: Any) -> None:
        """Writes what is known by now into the ledger.

        Raises:
            LeaseLostError: Another worker has it.
        """
        with self._writing:
            self.capture = self.services.ledger.note(self.capture.id, lease=self.lease, **facts)

    def note_tap(self, record: TapRecord, /, **facts: Any) -> TapRecord:
        """Writes what one of its taps has come to; that tap as it is then.

        Raises:
            LeaseLostError: Another worker has it.
        """
        self.services.ledger.taps.note(self.lease, record.number, **facts)
        return replace(record, **facts)

    def record(
        self, event: str, facts: Mapping[str, Any], *, tap: TapRecord | None = None, **columns: Any
    ) -> None:
        """Appends what is no move to the trail, and sets columns of the capture.

        Args:
            event: What happened.
            facts: What is known of it.
            tap: Which of several taps it is about.
            columns: Columns of the capture.

        Raises:
            LeaseLostError: Another worker has it.
        """
        by, lease = self.lease.worker, self.lease
        about = {} if tap is None else {"namespace": tap.namespace, "pod": tap.pod or tap.name}
        with self._writing:
            self.services.ledger.record(
                self.capture.id, event, by=by, facts=facts, lease=lease, **about, **columns
            )
            if columns:
                self.capture = replace(self.capture, **columns)

    def has_recorded(self, event: str) -> bool:
        """Whether a worker before this one has appended it to the trail."""
        wanted = Wanted(capture_id=self.capture.id, event=event)
        return self.lease.takeover and any(True for _ in self.services.ledger.trail.entries(wanted))

    def let_go(self) -> Capture:
        """Gives it up for another worker; the capture as it is then.

        Raises:
            LeaseLostError: Another worker has it already.
        """
        return self.services.ledger.leases.let_go(self.lease)

    def show(self) -> None:
        """Brings what is shown of the capture up to date."""
        try:
            self.report.show(self.capture)
        except PlaceError as error:
            # The next move shows it; the last one is shown again by beat.
            log.warning("what is shown lags behind: %s", error)
            return
        self.note(shown=self.capture.state)

    def say(self, sentence: str) -> None:
        """Says one sentence where everybody who sees the capture sees it."""
        self.refuse_if_lost()
        try:
            self.report.say(self.capture, sentence)
        except PlaceError as error:
            log.warning("not said: %s (%s)", sentence, error)

    def refuse_if_leaving(self) -> None:
        """For every wait: whoever is told to end must not be waited for.

        Raises:
            Leaving: This process was told to end.
            What broke off the work at another of its taps.
        """
        if self.services.leaving.is_set():
            raise Leaving
        if self.broken is not None:
            raise self.broken

    def stop_asked(self) -> bool:
        """Whether somebody asked to stop; the ledger is asked once a second, also for its duration.

        Raises:
            LeaseLostError: Another worker has it.
            Leaving: This process was told to end.
        """
        self.refuse_if_leaving()
        if time.monotonic() >= self._asked_at + _ASK_AGAIN_SECONDS and self._writing.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._writing.release()
        return self.capture.stop_requested_by is not None

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        try:
            fresh = self.services.ledger.get(self.capture.id)
        except SQLAlchemyError as error:
            # Packets are captured meanwhile; a database that is back in time has cost nothing.
            log.warning("the ledger did not answer: %s", error)
            return
        if fresh.token != self.lease.token or fresh.state not in ACTIVE:
            raise LeaseLostError(f"{fresh.id} was given to another worker")
        self.capture = fresh

    def patiently(self, step: Callable[[], _T]) -> _T:
        """Makes a step before the first packet, which may be made twice: again while nobody answers.

        One answer that was lost, or an API server or a Slack that restarts, must not end a capture. At a
        terminal somebody sits and sees the error soon.

        Raises:
            ClusterError, PlaceError: As the step, when it goes on for too long.
            Ended: Somebody asked to stop meanwhile.
            LeaseLostError: Another worker has it.
            Leaving: This process was told to end.
        """
        seconds = _PATIENCE_SECONDS if self.capture.origin == SLACK else _PATIENCE_AT_A_TERMINAL
        until, pause = time.monotonic() + seconds, _SHORTEST_PAUSE
        while True:
            self.give_up_if_stopped()
            try:
                return step()
            except (UnreachableError, ExecCutError, PlaceError) as error:
                passing = error.passing if isinstance(error, PlaceError) else True
                if not passing or time.monotonic() > until:
                    raise
                log.warning("tried again soon: %s", error)
            self.services.leaving.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def give_up_if_stopped(self) -> None:
        """For the time before the first packet.

        Raises:
            Ended: Somebody asked to stop: there is nothing to keep.
            LeaseLostError: Another worker has it.
            Leaving: This process was told to end.
        """
        if self.stop_asked():
            raise Ended(State.STOPPED)
