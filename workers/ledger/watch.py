"""Which captures somebody must look after: what beat and the terminal watch."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select

from workers.ledger.capture import Capture
from workers.ledger.schema import captures, heartbeats
from workers.ledger.states import ACTIVE, FINAL, WAITING, State


class Watch:
    """The captures of one database that have not ended, or not for Slack. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._reading = engine.execution_options(reading=True)

    def waiting(self) -> list[Capture]:
        """Captures that no worker has had yet, oldest first."""
        return self._in_states(WAITING)

    def active(self) -> list[Capture]:
        """Captures that were begun and have not ended, oldest first."""
        return self._in_states(ACTIVE)

    def adrift(self) -> list[Capture]:
        """Captures that were begun and have no worker now, oldest first."""
        return [capture for capture in self.active() if capture.worker is None]

    def abandoned(self, silence: timedelta) -> list[Capture]:
        """Captures whose worker has not been heard of for `silence`, by this machine's clock."""
        dead = self._clock() - silence
        query = (
            select(captures)
            .outerjoin(heartbeats, heartbeats.c.capture_id == captures.c.id)
            .where(captures.c.state.in_(ACTIVE), func.coalesce(heartbeats.c.at, captures.c.started_at) < dead)
        )
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]

    def beats(self) -> list[tuple[Capture, datetime | None]]:
        """Every capture a worker is at, with its last heartbeat; None when there was none yet."""
        query = (
            select(captures, heartbeats.c.at.label("beat"))
            .outerjoin(heartbeats, heartbeats.c.capture_id == captures.c.id)
            .where(captures.c.state.in_(ACTIVE), captures.c.worker.is_not(None))
        )
        with self._reading.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [(Capture.of(row), row["beat"]) for row in rows]

    def unshown(self, since: timedelta, *, until: timedelta = timedelta()) -> list[Capture]:
        """Captures that ended within `since`, and `until` ago at least, and whose end Slack does not show."""
        query = (
            select(captures)
            .where(
                captures.c.state.in_(FINAL),
                captures.c.ended_at > self._clock() - since,
                captures.c.ended_at <= self._clock() - until,
                captures.c.shown.is_distinct_from(captures.c.state),
            )
            .order_by(captures.c.ended_at)
        )
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]

    def _in_states(self, states: Iterable[State]) -> list[Capture]:
        query = select(captures).where(captures.c.state.in_(states)).order_by(captures.c.requested_at)
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]
