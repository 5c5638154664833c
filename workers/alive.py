"""Whether this process can still do its work: its threads give signs of life, and a silent one is missed."""

import threading
import time
from collections.abc import Callable


class SignsOfLife:
    """What has to give a sign how often; safe to share between threads.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[str, tuple[float, float]] = {}

    def expect(self, what: str, *, within: float) -> None:
        """From now on `what` gives a sign every `within` seconds at least."""
        with self._lock:
            self._due[what] = within, self._clock() + within

    def give(self, what: str) -> None:
        """A sign of something that is expected to give some."""
        with self._lock:
            if what in self._due:
                within, _ = self._due[what]
                self._due[what] = within, self._clock() + within

    def release(self, what: str) -> None:
        """`what` has ended, or waits for somebody else: nothing is expected of it."""
        with self._lock:
            self._due.pop(what, None)

    def missing(self) -> str | None:
        """One sentence about the first that gives no sign any more; None when all do."""
        now = self._clock()
        with self._lock:
            for what, (within, due) in self._due.items():
                if now > due:
                    return f"There is no sign of life of {what} for {within:.0f} s: restart this process."
        return None


SIGNS = SignsOfLife()
"""Those of this process."""
