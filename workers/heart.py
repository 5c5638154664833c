"""The heartbeat of the captures this process works on."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from workers.alive import SIGNS
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
        self._captures: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating(self, capture_id: str) -> Iterator[None]:
        """Beats for a capture as long as the block runs."""
        with self._lock:
            self._captures.add(capture_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._captures.discard(capture_id)

    def _beat(self) -> None:
        SIGNS.expect(_NAME, within=_WITHIN_SECONDS)
        pause = threading.Event()
        while True:
            with self._lock:
                captures = sorted(self._captures)
            for capture_id in captures:
                with about(capture_id):
                    self._try(capture_id)
                SIGNS.give(_NAME)
            SIGNS.give(_NAME)
            pause.wait(BEAT_SECONDS)

    def _try(self, capture_id: str) -> None:
        try:
            self._ledger.beat(capture_id, WORKER)
        except SQLAlchemyError as error:
            log.warning("no heartbeat: %s", error)
