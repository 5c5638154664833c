"""What the ledger has of captures that have ended: what the store holds of them, and which are to go."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from workers.ledger.capture import Capture
from workers.ledger.rows import append_of
from workers.ledger.schema import captures, heartbeats, stores
from workers.ledger.states import FINAL, State
from workers.trail import log
from workers.trail.trail import Trail, Wanted, append

_THE_STORE = stores.c.number == 1


class Archive:
    """The captures of one database that have ended. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def stored_bytes(self) -> int:
        """What the store holds, as far as it was ever measured; nothing is listed for it."""
        query = select(func.sum(captures.c.file_bytes)).where(captures.c.file_url.is_not(None))
        with self._reading.connect() as connection:
            return int(connection.execute(query).scalar_one() or 0)

    def unmeasured(self, most: int) -> list[Capture]:
        """Ended captures with a file of which nobody knows how large it is."""
        query = (
            select(captures)
            .where(
                captures.c.state.in_(FINAL),
                captures.c.file_url.is_not(None),
                captures.c.file_bytes.is_(None),
            )
            .limit(most)
        )
        return self._captures(query)

    def free_bytes(self) -> int | None:
        """What was left on the disk of the store when a worker last looked; None where it is no folder."""
        with self._reading.connect() as connection:
            return connection.execute(select(stores.c.free_bytes).where(_THE_STORE)).scalar_one_or_none()

    def note_free(self, free: int | None) -> None:
        """Remembers what is left on the disk of the store."""
        self._row()
        with self._engine.begin() as connection:
            connection.execute(update(stores).where(_THE_STORE).values(free_bytes=free))

    def claim_sweep(self, now: datetime, every: timedelta) -> bool:
        """Whether the caller is the one to look for files that no capture has: one does in each such time."""
        self._row()
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(stores)
                .where(_THE_STORE, or_(stores.c.swept_at.is_(None), stores.c.swept_at <= now - every))
                .values(swept_at=now)
            )
            return changed.rowcount == 1

    def _row(self) -> None:
        with self._reading.connect() as connection:
            known = connection.execute(select(stores.c.number).where(_THE_STORE)).first()
        if known is None:
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(stores).values(number=1))
            except IntegrityError:
                pass  # Another process was first.

    def with_files(self, ended_before: datetime) -> list[Capture]:
        """Captures that ended before that and have a file in the store, the oldest first."""
        return self._captures(
            select(captures)
            .where(
                captures.c.state.in_(FINAL),
                captures.c.ended_at < ended_before,
                captures.c.file_url.is_not(None),
            )
            .order_by(captures.c.ended_at)
        )

    def without_files(self, ended_before: datetime, most: int) -> list[Capture]:
        """Captures that ended before that and have no file in the store, the oldest first."""
        return self._captures(
            select(captures)
            .where(
                captures.c.state.in_(FINAL), captures.c.ended_at < ended_before, captures.c.file_url.is_(None)
            )
            .order_by(captures.c.ended_at)
            .limit(most)
        )

    def give_up_file(self, capture: Capture, *, by: str, facts: Mapping[str, Any]) -> bool:
        """Writes down that a capture's file goes; False when it has gone, or goes by somebody else."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(captures.c.id == capture.id, captures.c.file_url == capture.file_url)
                .values(file_url=None)
            )
            if changed.rowcount != 1:
                return False
            entry = append_of(connection, capture, "deleted", by=by, facts=facts)
        log.say(entry)
        return True

    def forget(self, capture: Capture, *, by: str, reason: str) -> None:
        """Removes a capture's row; the trail keeps its entries, and a last one says that the row is gone."""
        with self._engine.begin() as connection:
            connection.execute(delete(heartbeats).where(heartbeats.c.capture_id == capture.id))
            gone = connection.execute(
                delete(captures).where(
                    captures.c.id == capture.id, captures.c.state.in_(FINAL), captures.c.file_url.is_(None)
                )
            )
            if gone.rowcount != 1:
                return
            entry = append_of(connection, capture, "forgotten", by=by, facts={"reason": reason})
        log.say(entry)

    def known(self, ids: Iterable[str]) -> dict[str, Capture]:
        """Those of these captures that the ledger has."""
        return {one.id: one for one in self._captures(select(captures).where(captures.c.id.in_(set(ids))))}

    def orphan_deleted(self, capture_id: str, name: str, *, by: str) -> bool:
        """Writes down that a file goes which no capture has any more; False when it never was podcap's.

        The trail keeps every request: an id that it does not know is another installation's, or nobody's.
        """
        asked = next(
            iter(Trail(self._engine).entries(Wanted(capture_id=capture_id, event=State.REQUESTED, newest=1))),
            None,
        )
        if asked is None:
            return False
        with self._engine.begin() as connection:
            entry = append(
                connection,
                "deleted",
                by=by,
                capture_id=capture_id,
                namespace=asked.namespace,
                pod=asked.pod,
                facts={"name": name, "reason": "no capture has this file"},
            )
        log.say(entry)
        return True

    def _captures(self, query: Select[Any]) -> list[Capture]:
        with self._reading.connect() as connection:
            return [Capture.of(row) for row in connection.execute(query).mappings()]
