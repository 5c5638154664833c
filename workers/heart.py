"""The heartbeat of the captures this process works on."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from workers.alive import SIGNS
from workers.ledger.lease import Lease
from workers.ledger.ledger import Ledger
from workers.logs import about

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
_NAME = "the heartbeat"
# One heartbeat waits that long when the database hangs.
_WITHIN_SECONDS = 120.0
WORKER = f"worker@{socket.gethostname()}:{os.getpid()}"
"""This process, as the ledger names it."""


class Heart:
    """Tells the ledger every 5 s which captures this process is at."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._leases: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    @contextmanager
    def beating(self, lease: Lease) -> Iterator[None]:
        """Beats for a capture as long as the block runs."""
        with self._lock:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._leases.discard(lease)

    def leases(self) -> list[Lease]:
        """What this process is at."""
        with self._lock:
            return list(self._leases)

    def stop(self) -> None:
        """Beats no more; a beat that has begun is waited for, because it is at the database."""
        self._stopped.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _beat(self) -> None:
        SIGNS.expect(_NAME, within=_WITHIN_SECONDS)
        while not self._stopped.is_set():
            leases = self.leases()
            if leases:
                self._try(leases)
            SIGNS.give(_NAME)
            self._stopped.wait(BEAT_SECONDS)
        SIGNS.release(_NAME)

    def _try(self, leases: list[Lease]) -> None:
        try:
            lost = self._ledger.leases.beat(leases)
        except SQLAlchemyError as error:
            log.warning("no heartbeat: %s", error)
            return
        for lease in lost:
            # Whoever works on it finds that out within a second, and writes nothing until then.
            with about(lease.capture_id):
                log.info("it has ended, or has another worker")
