"""What a listener does after its ack: asking Slack and the cluster, which may take its time.

Slack's requests are acked by the threads that receive them, so none of them ever waits for this. Work of one
key is done in its order, one piece at a time: a channel takes about one message a second, and ten threads
that post into it would only have each other refused.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context

from workers.alive import SIGNS

log = logging.getLogger(__name__)

_THREADS = 32
_NAME = "what comes after an answer"
# Every thread of it would have to wait that long: each question has a deadline of seconds.
_WITHIN_SECONDS = 120.0


class Afterwards:
    """Threads that work off what is handed to them; safe to share between threads."""

    def __init__(self, threads: int = _THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="afterwards")
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Context, Callable[[], None]]]] = {}

    def do(self, key: str, work: Callable[[], None]) -> None:
        """Does it behind all that was handed over before under the same key; what it raises is logged.

        Its log lines are about the same capture as those of the caller.
        """
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is not None:
                waiting.append((copy_context(), work))
                return
            self._waiting[key] = deque([(copy_context(), work)])
        self._pool.submit(self._next, key)

    def why_stuck(self) -> str | None:
        """One sentence when its threads have done nothing for minutes; None when they do what they get."""
        with self._lock:
            known = _NAME in self._waiting
        if not known:
            SIGNS.expect(_NAME, within=_WITHIN_SECONDS)
            self.do(_NAME, lambda: SIGNS.release(_NAME))
        return SIGNS.missing()

    def close(self) -> None:
        """Drops what was not begun: a request in the ledger is found there by beat."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self, key: str) -> None:
        with self._lock:
            context, work = self._waiting[key].popleft()
        try:
            context.run(work)
        except Exception:  # noqa: BLE001, logged in the work's own context
            context.run(log.exception, "what was to be done after an answer failed")
        with self._lock:
            if not self._waiting[key]:
                del self._waiting[key]
                return
        try:
            # One piece a turn, so that a long line of one key holds up no other.
            self._pool.submit(self._next, key)
        except RuntimeError:
            return  # closed meanwhile
