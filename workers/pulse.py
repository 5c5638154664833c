"""Which captures have lost their worker, told without trusting anybody's clock."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from workers.heart import BEAT_SECONDS
from workers.ledger.capture import Capture

SILENCE_SECONDS = 4 * BEAT_SECONDS
"""A worker that is silent for so long is taken for dead. On-call engineers wait for this. Its heart is a
thread of its own that does nothing but beat, so several beats are missed only by a process that is gone or
stands still; one that comes back all the same is fenced off by its lease."""

_LOOKS = 3
"""So often it must have been seen unchanged besides: after a database that did not answer to anybody, the
first look proves nothing."""


class Pulse:
    """Remembers when each capture's heartbeat last changed, by a clock that nobody sets.

    A heartbeat's own time is that of another machine, and either clock may jump: it is only compared with
    the one seen before. So a process that has just started finds nobody dead for a while.

    Args:
        silence: Seconds without a change after which a worker is taken for dead.
        looks: How often it must have been seen without a change besides.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        silence: float = SILENCE_SECONDS,
        looks: int = _LOOKS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silence = silence
        self._looks = looks
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, datetime | None], float, int]] = {}

    def lost(self, beats: Iterable[tuple[Capture, datetime | None]]) -> list[Capture]:
        """The captures whose worker is dead, each told once.

        Args:
            beats: Every capture that a worker has, with its last heartbeat: `Ledger.beats`.
        """
        now = self._clock()
        found, seen = [], {}
        for capture, at in beats:
            beat = capture.token, at
            before, since, looks = self._seen.get(capture.id, (None, now, 0))
            since, looks = (since, looks + 1) if beat == before else (now, 0)
            if now - since >= self._silence and looks >= self._looks:
                found.append(capture)
            else:
                seen[capture.id] = beat, since, looks
        self._seen = seen
        return found
