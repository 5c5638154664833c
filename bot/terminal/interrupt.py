"""Ctrl-C: once ends a capture in good order, twice at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """What the signals ask for.

    Args:
        stop: Called in a thread of its own when somebody asks to stop; a signal handler may not wait for a
            database that the interrupted thread may be writing to.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._asked = threading.Event()
        self._over = threading.Event()
        self._count = 0

    def ask(self) -> None:
        """Asks to stop, as the first Ctrl-C does."""
        self._asked.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals while the block runs; the second one raises KeyboardInterrupt in it."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        stopper = threading.Thread(target=self._wait, name="stop", daemon=True)
        stopper.start()
        for number in _SIGNALS:
            # nohup has SIGHUP ignored, and that stays.
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._over.set()
            self._asked.set()
            stopper.join()

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
        self._asked.set()
        if self._count == 2:  # noqa: PLR2004, the second; what ends then is not interrupted again
            raise KeyboardInterrupt

    def _wait(self) -> None:
        self._asked.wait()
        if not self._over.is_set():
            self._stop()
