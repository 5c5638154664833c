"""What the steps of one capture share while a worker is at it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from workers.heart import WORKER
from workers.ledger.capture import Capture
from workers.ledger.ledger import IllegalMoveError
from workers.ledger.states import WAITING, State
from workers.naming import Naming
from workers.place import PlaceError
from workers.report import Report
from workers.services import Services

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 1.0


class Ended(Exception):  # noqa: N818, an end that is no fault
    """The capture ends here, in `state`; the message is its sentence."""

    def __init__(self, state: State, sentence: str = "") -> None:
        super().__init__(sentence)
        self.state = state


@dataclass
class Work:
    """One capture in this worker's hands, its report, and a folder that is removed afterwards.

    Attributes:
        naming: The names of the cluster's addresses, on their way since packets are captured.
        compiled: The capture filter as tcpdump got it.
    """

    services: Services
    report: Report
    capture: Capture
    folder: Path
    naming: Naming | None = None
    compiled: str = ""
    _asked_at: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self._taken_at = self.capture.started_at

    def move(self, state: State, *, trail: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Moves the capture and shows it; a place that cannot be reached does not stop the work.

        Args:
            state: The new state.
            trail: What only the trail is to know.
            facts: What ledger and trail are to know.

        Raises:
            IllegalMoveError: Somebody else has ended it, or has it.
        """
        self._refuse_if_lost()
        self.capture = self.services.ledger.move(self.capture.id, state, by=WORKER, trail=trail, **facts)
        log.info("%s", state)
        self.show()

    def is_lost(self) -> bool:
        """Whether another worker has it, or will: this one hung for so long that it was taken for dead."""
        try:
            now = self.services.ledger.get(self.capture.id)
        except SQLAlchemyError:
            return False  # Nobody can have been given it meanwhile.
        return now.started_at != self._taken_at or now.state in WAITING

    def _refuse_if_lost(self) -> None:
        if self.is_lost():
            raise IllegalMoveError(f"{self.capture.id} was given to another worker")

    def note(self, **facts: Any) -> None:
        """Writes what is known by now into the ledger."""
        self.capture = self.services.ledger.note(self.capture.id, **facts)

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
        try:
            self.report.say(self.capture, sentence)
        except PlaceError as error:
            log.warning("not said: %s (%s)", sentence, error)

    def stop_asked(self) -> bool:
        """Whether somebody asked to stop; the ledger is asked once a second, also for its duration.

        Raises:
            IllegalMoveError: Another worker has it.
        """
        now = time.monotonic()
        if self.capture.stop_requested_by is None and now >= self._asked_at + _ASK_AGAIN_SECONDS:
            self._asked_at = now
            try:
                self._refuse_if_lost()
                self.capture = self.services.ledger.get(self.capture.id)
            except SQLAlchemyError as error:
                # Packets are captured meanwhile; a database that is back in time has cost nothing.
                log.warning("the ledger did not answer: %s", error)
        return self.capture.stop_requested_by is not None

    def give_up_if_stopped(self) -> None:
        """For the time before the first packet.

        Raises:
            Ended: Somebody asked to stop: there is nothing to keep.
        """
        if self.stop_asked():
            raise Ended(State.STOPPED)
