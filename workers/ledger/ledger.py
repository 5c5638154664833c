"""Reading and writing captures. Each method is one transaction; a move that does not exist cannot happen."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from workers.ledger.capture import Capture, Order, new_id
from workers.ledger.schema import captures, heartbeats, moves
from workers.ledger.states import ACTIVE, FINAL, WAITING, State, sources

EXPIRES_AFTER = timedelta(minutes=30)
"""How long a capture may wait for a worker. Later its answer would be about another moment."""


class IllegalMoveError(Exception):
    """Somebody else has moved the capture, or the move does not exist; nothing was written."""


class Ledger:
    """The table of captures. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def request(self, order: Order) -> tuple[Capture, bool]:
        """Writes a new capture down in state `requested`.

        Returns:
            The capture, and whether it is new: a second order with the same idempotency key is
            answered with the capture of the first.
        """
        now = datetime.now(UTC)
        row = asdict(order) | {
            "id": new_id(),
            "state": State.REQUESTED,
            "requested_at": now,
            "expires_at": now + EXPIRES_AFTER,
        }
        with self._engine.begin() as connection:
            known = (
                connection.execute(
                    select(captures).where(captures.c.idempotency_key == order.idempotency_key)
                )
                .mappings()
                .first()
            )
            if known is not None:
                return Capture.of(known), False
            try:
                with connection.begin_nested():
                    connection.execute(insert(captures).values(row))
            except IntegrityError:
                # Another process wrote the same order between our look and our insert, or the id is taken.
                pass
            else:
                connection.execute(
                    insert(moves).values(
                        capture_id=row["id"], start=None, end=State.REQUESTED, at=now, by=order.user_id
                    )
                )
                return self._get(connection, row["id"]), True
        return self.request(order)

    def get(self, capture_id: str) -> Capture:
        """The capture with this id.

        Raises:
            KeyError: There is none.
        """
        with self._reading.connect() as connection:
            return self._get(connection, capture_id)

    @staticmethod
    def _get(connection: Any, capture_id: str) -> Capture:
        row = connection.execute(select(captures).where(captures.c.id == capture_id)).mappings().first()
        if row is None:
            raise KeyError(capture_id)
        return Capture.of(row)

    def move(self, capture_id: str, end: State, *, by: str, **facts: Any) -> Capture:
        """Moves a capture to `end` and writes what is known by then, in one transaction.

        Args:
            capture_id: The capture.
            end: The new state.
            by: Who moves it: a Slack user id, or a process such as `bot` or `worker@host`.
            facts: Columns to set at the same time.

        Raises:
            IllegalMoveError: Its state has no such move, for example because another worker was first.
        """
        now = datetime.now(UTC)
        if end in FINAL:
            facts["ended_at"] = now
        with self._engine.begin() as connection:
            start = connection.execute(
                select(captures.c.state).where(captures.c.id == capture_id).with_for_update()
            ).scalar_one()
            changed = connection.execute(
                update(captures)
                .where(captures.c.id == capture_id, captures.c.state.in_(sources(end)))
                .values(state=end, **facts)
            )
            if changed.rowcount != 1:
                raise IllegalMoveError(f"{capture_id} is {start}, it cannot become {end}")
            connection.execute(
                insert(moves).values(capture_id=capture_id, start=start, end=end, at=now, by=by)
            )
            return self._get(connection, capture_id)

    def note(self, capture_id: str, **facts: Any) -> Capture:
        """Writes facts that are no move, such as the timestamp of the capture's message."""
        with self._engine.begin() as connection:
            connection.execute(update(captures).where(captures.c.id == capture_id).values(**facts))
            return self._get(connection, capture_id)

    def note_message(self, capture_id: str, message_ts: str) -> bool:
        """Remembers a capture's message; False when it has another one already."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(captures.c.id == capture_id, captures.c.message_ts.is_(None))
                .values(message_ts=message_ts)
            )
            return changed.rowcount == 1

    def published(self, capture_id: str) -> None:
        """Remembers that the queue took the capture's id just now."""
        self.note(capture_id, published_at=datetime.now(UTC))

    def request_stop(self, capture_id: str, user_id: str) -> Capture:
        """Raises the stop flag; who was first is remembered, and a final capture is left alone."""
        with self._engine.begin() as connection:
            connection.execute(
                update(captures)
                .where(
                    captures.c.id == capture_id,
                    captures.c.stop_requested_by.is_(None),
                    captures.c.state.not_in(FINAL),
                )
                .values(stop_requested_by=user_id)
            )
            return self._get(connection, capture_id)

    def beat(self, capture_id: str, worker: str) -> None:
        """Says that `worker` is alive and at this capture."""
        values = {"worker": worker, "at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(heartbeats).where(heartbeats.c.capture_id == capture_id).values(**values)
            )
            if changed.rowcount == 0:
                connection.execute(insert(heartbeats).values(capture_id=capture_id, **values))

    def waiting(self) -> list[Capture]:
        """Captures nobody works on yet, oldest first."""
        return self._in_states(WAITING)

    def active(self) -> list[Capture]:
        """Captures a worker is at, oldest first."""
        return self._in_states(ACTIVE)

    def abandoned(self, silence: timedelta) -> list[Capture]:
        """Captures whose worker has not been heard of for `silence`."""
        dead = datetime.now(UTC) - silence
        query = (
            select(captures)
            .outerjoin(heartbeats, heartbeats.c.capture_id == captures.c.id)
            .where(captures.c.state.in_(ACTIVE), func.coalesce(heartbeats.c.at, captures.c.started_at) < dead)
        )
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]

    def unshown(self, since: timedelta) -> list[Capture]:
        """Captures that ended within `since` and whose end Slack does not show."""
        query = (
            select(captures)
            .where(
                captures.c.state.in_(FINAL),
                captures.c.ended_at > datetime.now(UTC) - since,
                captures.c.shown.is_distinct_from(captures.c.state),
            )
            .order_by(captures.c.ended_at)
        )
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]

    def history(self, capture_id: str) -> list[tuple[State | None, State, str]]:
        """The moves of a capture in their order, as (from, to, by)."""
        query = select(moves).where(moves.c.capture_id == capture_id).order_by(moves.c.number)
        with self._reading.connect() as connection:
            return [
                (None if row["start"] is None else State(row["start"]), State(row["end"]), row["by"])
                for row in connection.execute(query).mappings()
            ]

    def ping(self) -> None:
        """Asks the database for nothing; raises what SQLAlchemy raises when it cannot answer."""
        with self._reading.connect() as connection:
            connection.execute(select(1))

    def _in_states(self, states: Iterable[State]) -> list[Capture]:
        query = select(captures).where(captures.c.state.in_(states)).order_by(captures.c.requested_at)
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]
