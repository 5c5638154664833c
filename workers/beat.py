"""Celery beat without the broker: housekeeping runs in beat's own process.

Housekeeping is what notices that Redis is gone, ends what waited too long and publishes again what was lost.
Sent through Redis it would stop exactly when it is needed.
"""

import logging
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

log = logging.getLogger(__name__)


class InProcessScheduler(Scheduler):
    """Runs due tasks here and now, one after the other."""

    # beat asks for it before each task; a real one would wait for Redis.
    producer = None

    def apply_async(
        self, entry: ScheduleEntry, producer: object = None, advance: bool = True, **_: Any
    ) -> None:
        """Runs the entry's task; an exception is logged and the next round comes all the same."""
        del producer
        if advance:
            entry = self.reserve(entry)  # type: ignore[no-untyped-call]
        try:
            self.app.tasks[entry.task](*(entry.args or ()), **(entry.kwargs or {}))
        except Exception:
            log.exception("%s failed; it is tried again in its next round", entry.task)
