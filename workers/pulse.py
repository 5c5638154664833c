"""Which captures have lost their worker, told without trusting anybody's clock."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from workers.heart import BEAT_SECONDS
from workers.ledger.capture import Capture

_SILENCE_SECONDS = 12 * BEAT_SECONDS


class Pulse:
    """Remembers when each capture's heartbeat last changed, by a clock that nobody sets.

    A heartbeat's own time is that of another machine, and either clock may jump: it is only compared with
    the one seen before. So a process that has just started finds nobody dead for a minute.

    Args:
        silence: Seconds without a change after which a worker is taken for dead.
        clock: Seconds that only grow.
    """

    def __init__(
        self, silence: float = _SILENCE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silence = silence
        self._clock = clock
        self._seen: dict[str, tuple[datetime | None, float]] = {}

    def lost(self, beats: Iterable[tuple[Capture, datetime | None]]) -> list[Capture]:
        """The captures whose worker is dead, each told once in that minute: it may get another worker.

        Args:
            beats: Every active capture with its last heartbeat: `Ledger.beats`.
        """
        now = self._clock()
        found, seen = [], {}
        for capture, beat in beats:
            before, since = self._seen.get(capture.id, (None, now))
            changed = since if beat == before else now
            if now - changed >= self._silence:
                found.append(capture)
            else:
                seen[capture.id] = beat, changed
        self._seen = seen
        return found
