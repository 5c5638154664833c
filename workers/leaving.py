"""How a worker leaves: within the grace period, with every capture either ended or in another worker's reach.

Told to end (SIGTERM), every wait of a capture that runs sees `Services.leaving` within a second and lets the
capture go, while tcpdump runs on on its node; what is nearly done (summary, store, Slack) may be finished.
What is not done in time is let go from here, and the process ends. Told so twice, or by SIGQUIT, it does that
at once. What a thread writes after that is refused by the ledger (`workers.ledger.lease`).
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from workers.ledger.capture import Capture
from workers.ledger.lease import LeaseLostError
from workers.logs import about
from workers.services import Services

log = logging.getLogger(__name__)

LEAVE_SECONDS = 20.0
"""Kubernetes kills a pod 30 s after SIGTERM by default. Letting fifty captures go takes a second or two
more."""

_LOOK_SECONDS = 0.2


class Leaver:
    """Ends this process in time. Its methods may be called by a signal's handler.

    Args:
        services: What the captures of this process work with.
        publish: Gives a capture that was let go to another worker.
        leave: Ends the process, whatever its threads are at.
    """

    def __init__(
        self,
        services: Services,
        publish: Callable[[Capture], object],
        leave: Callable[[], object] = lambda: os._exit(0),
    ) -> None:
        self._services = services
        self._publish = publish
        self._leave = leave
        self._at_once = threading.Event()

    def start(self) -> None:
        """Waits in a thread of its own until it is asked."""
        threading.Thread(target=self.run, name="leaver", daemon=True).start()

    def ask(self, *, at_once: bool = False) -> None:
        """Lets go of every capture: soon, or when asked for the second time, at once."""
        if at_once or self._services.leaving.is_set():
            self._at_once.set()
        self._services.leaving.set()

    def run(self) -> None:
        """Waits for being asked and sees it through."""
        self._services.leaving.wait()
        until = time.monotonic() + LEAVE_SECONDS
        while self._services.heart.leases() and time.monotonic() < until:
            if self._at_once.wait(_LOOK_SECONDS):
                break
        self._let_go_of_the_rest()
        # Celery waits for its threads, and one may wait for somebody who never answers.
        self._at_once.wait(max(0.0, until - time.monotonic()))
        self._leave()

    def _let_go_of_the_rest(self) -> None:
        for lease in self._services.heart.leases():
            with about(lease.capture_id):
                try:
                    self._publish(self._services.ledger.leases.let_go(lease))
                    log.warning("not done in time: another worker goes on with it")
                except LeaseLostError as error:
                    log.info("nothing to let go: %s", error)
                except SQLAlchemyError as error:
                    # beat will take this worker for dead.
                    log.warning("not let go: %s", error)
