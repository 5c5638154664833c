"""Ctrl-C: once ends a capture in good order, twice at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """What the signals ask for."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._over = threading.Event()
        self._stopper: threading.Thread | None = None
        self._count = 0

    def ask(self) -> None:
        """Asks to stop, as the first Ctrl-C does."""
        self._asked.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals while the block runs; the second one raises KeyboardInterrupt in it."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
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
            if self._stopper is not None:
                self._stopper.join()

    def then(self, stop: Callable[[], object]) -> None:
        """Has `stop` called once somebody asks to stop, or at once where somebody has already.

        That is in a thread of its own: a signal handler may not wait for a database that the interrupted
        thread may be writing to.
        """
        self._stopper = threading.Thread(target=self._wait, args=(stop,), name="stop", daemon=True)
        self._stopper.start()

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        self._asked.set()
        if self._count == 2:  # noqa: PLR2004, the second; what ends then is not interrupted again
            raise KeyboardInterrupt(128 + number)

    def _wait(self, stop: Callable[[], object]) -> None:
        self._asked.wait()
        if not self._over.is_set():
            stop()
