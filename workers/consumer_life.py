"""The sign of life of a Celery worker's consumer: the loop that takes captures from the queue.

Without Redis it waits for it, for as long as that takes, and nothing is expected of it: its captures go on.
"""

from typing import Any

from celery import bootsteps

from workers.alive import SIGNS

_NAME = "the consumer of the queue"
_EVERY_SECONDS = 5.0
_WITHIN_SECONDS = 120.0


class ConsumerLife(bootsteps.StartStopStep):
    """Runs as long as the consumer is connected."""

    requires: tuple[str, ...] = ("celery.worker.consumer.tasks:Tasks",)  # type: ignore[assignment]

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)  # type: ignore[no-untyped-call]
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Connected: from now on the loop runs this timer."""
        SIGNS.expect(_NAME, within=_WITHIN_SECONDS)
        self._timer = consumer.timer.call_repeatedly(_EVERY_SECONDS, SIGNS.give, (_NAME,))

    def stop(self, consumer: Any) -> None:
        """The connection is lost, or the worker ends."""
        del consumer
        SIGNS.release(_NAME)
        if self._timer is not None:
            self._timer.cancel()

    shutdown = stop
