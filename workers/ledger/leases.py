"""Who works on a capture: leases given, given up and taken away. Each method is one transaction.

`workers.ledger.lease` tells what a lease is. Every change of the worker is an entry of the trail.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from workers.ledger.capture import Capture
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.rows import append_of, capture_of, fence, lock
from workers.ledger.schema import captures, heartbeats, trail
from workers.ledger.states import ACTIVE, EXPIRES_AFTER, IllegalMoveError, State
from workers.ledger.taps import write_taps
from workers.trail import log
from workers.trail.entry import Entry

MOST_LOST_WORKERS = 3
"""So many workers may die at one capture: the last of them ends it. One may be killed with its node, another
by a capture beside it; what ends three is the capture itself."""

LOST = "worker lost"
LET_GO = "worker left"
TAKEN_OVER = "taken over"
"""Events of the trail about who works on a capture."""


class Leases:
    """The leases of one database. Safe to share between threads and processes."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def take(self, capture_id: str, worker: str) -> tuple[Capture, Lease]:
        """Gives a worker the lease of a capture that is queued, or that another worker had and has no more.

        A queued one becomes `tapping`; one that was begun stays in its state, to be gone on with from there.

        Raises:
            KeyError: There is no such capture.
            IllegalMoveError: Another worker has it, or it waits for something else, expired, or has ended.
        """
        now = self.clock()
        with self._engine.begin() as connection:
            row = (
                connection.execute(select(captures).where(captures.c.id == capture_id).with_for_update())
                .mappings()
                .first()
            )
            if row is None:
                raise KeyError(capture_id)
            before = Capture.of(row)
            begun = before.state in ACTIVE
            if before.worker is not None or not (begun or before.state is State.QUEUED):
                raise IllegalMoveError(f"{capture_id} is {before.state}, with {before.worker or 'nobody'}")
            if before.expires_at <= now:
                raise IllegalMoveError(f"{capture_id} expired")  # beat says so in its thread
            lease = Lease(capture_id, worker, before.token + 1, takeover=begun)
            values: dict[str, Any] = {"token": lease.token, "worker": worker}
            if not begun:
                values |= {"state": State.TAPPING, "started_at": now}
            connection.execute(update(captures).where(captures.c.id == capture_id).values(**values))
            connection.execute(delete(heartbeats).where(heartbeats.c.capture_id == capture_id))
            connection.execute(
                insert(heartbeats).values(capture_id=capture_id, worker=worker, token=lease.token, at=now)
            )
            capture = capture_of(connection, capture_id)
            write_taps(connection, capture, None)  # an older podcap admits without them
            if begun:
                event, facts = TAKEN_OVER, {"state": before.state, "token": lease.token}
            else:
                event = State.TAPPING
                facts = {"from": before.state, "started_at": now, "token": lease.token}
            entry = append_of(connection, capture, event, by=worker, facts=facts)
        log.say(entry)
        return capture, lease

    def let_go(self, lease: Lease) -> Capture:
        """Gives up a lease, so that another worker goes on.

        Raises:
            LeaseLostError: It was lost before.
        """
        with self._engine.begin() as connection:
            capture = capture_of(connection, lock(connection, lease))
            if capture.state not in ACTIVE:
                raise LeaseLostError(f"{capture.id} is {capture.state}: there is nothing to go on with")
            capture, entry = self._leave(connection, capture, LET_GO, by=lease.worker)
        log.say(entry)
        return capture

    def take_away(self, seen: Capture, *, by: str) -> tuple[Capture, int] | None:
        """Takes a capture from a worker that is dead; its writes are refused from now on.

        Args:
            seen: The capture as it was when its worker was found dead.
            by: Who does so.

        Returns:
            The capture, for another worker, and how many it has lost; None when it has moved on meanwhile.
        """
        with self._engine.begin() as connection:
            row = (
                connection.execute(select(captures).where(captures.c.id == seen.id).with_for_update())
                .mappings()
                .first()
            )
            if row is None:
                return None
            capture = Capture.of(row)
            if capture.token != seen.token or capture.worker is None or capture.state not in ACTIVE:
                return None
            lost = select(func.count()).where(trail.c.capture_id == seen.id, trail.c.event == LOST)
            losses = connection.execute(lost).scalar_one() + 1
            capture, entry = self._leave(connection, capture, LOST, by=by)
        log.say(entry)
        return capture, losses

    def _leave(
        self, connection: Connection, capture: Capture, event: str, *, by: str
    ) -> tuple[Capture, Entry]:
        facts = {"state": capture.state, "worker": capture.worker}
        fence(connection, capture.id)
        connection.execute(
            update(captures)
            .where(captures.c.id == capture.id)
            # For the next worker it may wait as long as for the first.
            .values(published_at=None, expires_at=self.clock() + EXPIRES_AFTER)
        )
        capture = capture_of(connection, capture.id)
        return capture, append_of(connection, capture, event, by=by, facts=facts)

    def holds(self, lease: Lease) -> bool:
        """Whether the capture is this worker's still; one that it has ended stays so."""
        query = select(captures.c.token).where(captures.c.id == lease.capture_id)
        with self._reading.connect() as connection:
            return connection.execute(query).scalar_one_or_none() == lease.token

    def beat(self, leases: Iterable[Lease]) -> list[Lease]:
        """Says that their worker is alive.

        Returns:
            Those of them that are held no more.
        """
        lost = []
        with self._engine.begin() as connection:
            # In one order, so that two who beat at once never wait for each other.
            for lease in sorted(leases, key=lambda one: one.capture_id):
                changed = connection.execute(
                    update(heartbeats)
                    .where(heartbeats.c.capture_id == lease.capture_id, heartbeats.c.token == lease.token)
                    .values(at=self.clock())
                )
                if changed.rowcount == 0:
                    lost.append(lease)
        return lost
