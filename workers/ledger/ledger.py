"""Reading and writing captures. Each method is one transaction; a move that does not exist cannot happen.

Every request, move and stop, and every change of the worker, is an entry of the trail, appended in the same
transaction. What a worker writes is written only while it holds the capture's lease, in that transaction too.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from workers.ledger.archive import Archive
from workers.ledger.capture import SLACK, Capture, Order, new_id
from workers.ledger.lease import Lease
from workers.ledger.leases import Leases
from workers.ledger.mirrors import Mirrors
from workers.ledger.rows import append_of, capture_of, fence, lock, of_several
from workers.ledger.schema import captures, heartbeats, installations
from workers.ledger.standing import Standing, read_standing
from workers.ledger.states import (
    ACTIVE,
    EXPIRES_AFTER,
    FINAL,
    WAITING,
    IllegalMoveError,
    Maker,
    State,
    sources,
)
from workers.ledger.tap_record import TapRecord
from workers.ledger.taps import Taps, write_taps
from workers.ledger.turns import Turns
from workers.ledger.watch import Watch
from workers.trail import log
from workers.trail.entry import Entry
from workers.trail.trail import Trail, append

# An order as the trail keeps it: without what lets somebody else speak in the asker's place.
_NOT_IN_THE_TRAIL = frozenset({"idempotency_key", "response_url"})


_ADMITTED = WAITING - {State.REQUESTED}


class Ledger:
    """The table of captures. Safe to share between threads and processes.

    Args:
        engine: The database.
        clock: What time it is.
        acking: The same database with less patience, for what Slack waits for.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        acking: Engine | None = None,
    ) -> None:
        self.clock = clock
        self._engine = engine
        self._acking = acking or engine
        self._reading = engine.execution_options(reading=True)

    def close(self) -> None:
        """Lets go of the database; whoever asks again connects again."""
        self._engine.dispose()
        self._acking.dispose()

    @property
    def trail(self) -> Trail:
        """The trail, for reading."""
        return Trail(self._engine)

    @property
    def leases(self) -> Leases:
        """Who works on what."""
        return Leases(self._engine, self.clock)

    @property
    def taps(self) -> Taps:
        """What each capture takes, and what has come of it."""
        return Taps(self._engine)

    @property
    def turns(self) -> Turns:
        """Whose turn it is among those that wait."""
        return Turns(self._engine)

    @property
    def watch(self) -> Watch:
        """Captures that somebody must look after."""
        return Watch(self._engine, self.clock)

    @property
    def mirrors(self) -> Mirrors:
        """How far each channel has the trail."""
        return Mirrors(self._engine)

    @property
    def archive(self) -> Archive:
        """Captures that have ended."""
        return Archive(self._engine)

    def request(self, order: Order) -> tuple[Capture, bool]:
        """Writes a new capture down in state `requested`.

        Returns:
            The capture, and whether it is new: a second order with the same idempotency key is
            answered with the capture of the first.

        Raises:
            SQLAlchemyError: It could not be written down, or Slack would not wait for it any longer.
        """
        engine = self._acking if order.origin == SLACK else self._engine
        with engine.begin() as connection:
            known = (
                connection.execute(
                    select(captures).where(captures.c.idempotency_key == order.idempotency_key)
                )
                .mappings()
                .first()
            )
            if known is not None:
                return Capture.of(known), False
            written = self._write(connection, order)
        if written is None:
            return self.request(order)
        capture, entry = written
        log.say(entry)
        return capture, True

    def _write(self, connection: Connection, order: Order) -> tuple[Capture, Entry] | None:
        """A new capture and its entry; None when another process wrote the same order meanwhile."""
        now = self.clock()
        row = asdict(order) | {
            "id": new_id(),
            "state": State.REQUESTED,
            "requested_at": now,
            "expires_at": now + EXPIRES_AFTER,
        }
        try:
            with connection.begin_nested():
                connection.execute(insert(captures).values(row))
        except IntegrityError:
            # Between our look and our insert, or the id is taken.
            return None
        capture = capture_of(connection, row["id"])
        asked = {key: value for key, value in asdict(order).items() if key not in _NOT_IN_THE_TRAIL}
        return capture, append_of(connection, capture, State.REQUESTED, by=order.user_id, facts=asked)

    def get(self, capture_id: str) -> Capture:
        """The capture with this id.

        Raises:
            KeyError: There is none.
        """
        with self._reading.connect() as connection:
            return capture_of(connection, capture_id)

    def move(
        self,
        capture_id: str,
        end: State,
        *,
        by: str,
        maker: Maker = Maker.ADMISSION,
        trail: Mapping[str, Any] | None = None,
        taps: Sequence[TapRecord] | None = None,
        **facts: Any,
    ) -> Capture:
        """Moves a capture to `end` and writes what is known by then, in one transaction.

        Whoever has the capture's lease loses it by that: this is for everybody but the worker at it.

        Args:
            capture_id: The capture.
            end: The new state.
            by: Who moves it: a Slack user id, or a process such as `bot`.
            maker: As what it does so.
            trail: What the trail is to know besides the facts: values that JSON has, and points in time.
            taps: What it takes; None leaves that as it is, and is the pod of a capture that has nothing yet.
            facts: Columns to set at the same time. They stand in the trail, too.

        Raises:
            IllegalMoveError: Its state has no such move by that maker, for example because a worker was
            first.
        """
        if maker is Maker.WORKER:
            raise IllegalMoveError("a worker moves a capture with its lease")
        with self._engine.begin() as connection:
            capture, entry = self._move(connection, capture_id, end, maker, by, trail, facts, taps)
            if entry.known()["from"] in ACTIVE:
                fence(connection, capture_id)
                capture = capture_of(connection, capture_id)
        log.say(entry)
        return capture

    def move_held(
        self, lease: Lease, end: State, *, trail: Mapping[str, Any] | None = None, **facts: Any
    ) -> Capture:
        """Moves a capture as the worker that has it; otherwise as `move`.

        Raises:
            LeaseLostError: It has it no more.
            IllegalMoveError: Its state has no such move, or somebody ended it.
        """
        with self._engine.begin() as connection:
            lock(connection, lease)
            known = (lease.capture_id, end, Maker.WORKER, lease.worker, trail, facts)
            capture, entry = self._move(connection, *known)
        log.say(entry)
        return capture

    def _move(
        self,
        connection: Connection,
        capture_id: str,
        end: State,
        maker: Maker,
        by: str,
        trail: Mapping[str, Any] | None,
        facts: dict[str, Any],
        taps: Sequence[TapRecord] | None = None,
    ) -> tuple[Capture, Entry]:
        if end in FINAL:
            facts["ended_at"] = self.clock()
        start = connection.execute(
            select(captures.c.state).where(captures.c.id == capture_id).with_for_update()
        ).scalar_one()
        changed = connection.execute(
            update(captures)
            .where(captures.c.id == capture_id, captures.c.state.in_(sources(end, maker)))
            .values(state=end, **facts)
        )
        if changed.rowcount != 1:
            raise IllegalMoveError(f"{capture_id} is {start}, its {maker} cannot make it {end}")
        if end in FINAL:
            connection.execute(delete(heartbeats).where(heartbeats.c.capture_id == capture_id))
        capture = capture_of(connection, capture_id)
        if end in _ADMITTED:
            write_taps(connection, capture, taps)
        known = {"from": start, **facts, **(trail or {})}
        return capture, append_of(connection, capture, end, by=by, facts=known)

    def record(
        self,
        capture_id: str | None,
        event: str,
        *,
        by: str,
        facts: Mapping[str, Any] | None = None,
        lease: Lease | None = None,
        namespace: str | None = None,
        pod: str | None = None,
        **columns: Any,
    ) -> Entry:
        """Appends an entry to the trail for what is no move, such as `downloaded`.

        Args:
            capture_id: The capture it is about; None when it is about none.
            event: What happened, at most 32 characters.
            by: Who did it, as in `move`.
            facts: What is known of it: values that JSON has, and points in time.
            lease: What the writer must hold to write it.
            namespace: That of the pod it is about; None: the capture's.
            pod: The pod it is about, when it is about one of several.
            columns: Columns of the capture to set in the same transaction.

        Raises:
            KeyError: There is no such capture.
            LeaseLostError: The lease is held no more.
        """
        with self._engine.begin() as connection:
            if lease is not None:
                lock(connection, lease)
            if capture_id is not None:
                row = connection.execute(_ABOUT, {"capture_id": capture_id}).first()
                if row is None:
                    raise KeyError(capture_id)
                if pod is None:
                    namespace, pod, targets, cluster = row
                    facts = {**(facts or {}), **of_several(targets, cluster)}
                if columns:
                    connection.execute(update(captures).where(captures.c.id == capture_id).values(**columns))
            entry = append(
                connection,
                event,
                by=by,
                capture_id=capture_id,
                namespace=namespace,
                pod=pod,
                facts=facts,
            )
        log.say(entry)
        return entry

    def note(self, capture_id: str, *, lease: Lease | None = None, **facts: Any) -> Capture:
        """Writes facts that are no move, such as the timestamp of the capture's message.

        Raises:
            LeaseLostError: They are a worker's, and its lease is held no more.
        """
        with self._engine.begin() as connection:
            if lease is not None:
                lock(connection, lease)
            connection.execute(update(captures).where(captures.c.id == capture_id).values(**facts))
            return capture_of(connection, capture_id)

    def claim_closing(self, capture_id: str) -> bool:
        """Whether the caller is the one to post the closing message: the first one to ask."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(captures.c.id == capture_id, captures.c.closing_ts.is_(None))
                .values(closing_ts="")
            )
            return changed.rowcount == 1

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
        self.note(capture_id, published_at=self.clock())

    def request_stop(self, capture_id: str, user_id: str, *, who: Mapping[str, Any] | None = None) -> Capture:
        """Raises the stop flag; who was first is remembered, and a final capture is left alone.

        `who` is what the trail is to know of them besides.
        """
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(
                    captures.c.id == capture_id,
                    captures.c.stop_requested_by.is_(None),
                    captures.c.state.not_in(FINAL),
                )
                .values(stop_requested_by=user_id)
            )
            capture = capture_of(connection, capture_id)
            if changed.rowcount != 1:
                return capture
            entry = append_of(connection, capture, "stop requested", by=user_id, facts=who or {})
        log.say(entry)
        return capture

    def extend(
        self, capture_id: str, user_id: str, *, seconds: int, who: Mapping[str, Any] | None = None
    ) -> Capture:
        """Sets a running capture's duration to more seconds; one that does not run is left alone.

        `who` is what the trail is to know of them besides.
        """
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(
                    captures.c.id == capture_id,
                    captures.c.state == State.CAPTURING,
                    captures.c.stop_requested_by.is_(None),
                    captures.c.seconds < seconds,
                )
                .values(seconds=seconds)
            )
            capture = capture_of(connection, capture_id)
            if changed.rowcount != 1:
                return capture
            facts = {"seconds": seconds, **(who or {})}
            entry = append_of(connection, capture, "extended", by=user_id, facts=facts)
        log.say(entry)
        return capture

    def installation(self) -> str:
        """The id of this installation: random, made once, the same for all who share the database."""
        query = select(installations.c.id)
        with self._reading.connect() as connection:
            known = connection.execute(query).scalar_one_or_none()
        if known is not None:
            return str(known)
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(installations).values(number=1, id=secrets.token_hex(8)))
        except IntegrityError:
            pass  # Another process was first.
        return self.installation()

    def standing(self) -> Standing:
        """Figures about all captures."""
        with self._reading.connect() as connection:
            return read_standing(connection)

    def schema(self) -> str | None:
        """The revision of the database's schema; raises what SQLAlchemy raises when there is none."""
        with self._reading.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

    def ping(self) -> None:
        """Asks the database for nothing; raises what SQLAlchemy raises when it cannot answer."""
        with self._reading.connect() as connection:
            connection.execute(select(1))


_ABOUT = select(captures.c.namespace, captures.c.pod, captures.c.targets, captures.c.cluster).where(
    captures.c.id == bindparam("capture_id")
)
