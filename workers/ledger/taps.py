"""What each capture takes: a row for every tap, written when the capture is let wait, kept by its worker.

Whoever takes a capture over goes on from what its taps have come to. A capture of one pod has one row.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.rows import lock
from workers.ledger.schema import taps
from workers.ledger.tap_record import TapRecord, columns


class Taps:
    """The taps of one database. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def of(self, capture_id: str) -> list[TapRecord]:
        """The taps of a capture by their numbers; none before it was admitted."""
        return self.of_several([capture_id]).get(capture_id, [])

    def of_several(self, capture_ids: Iterable[str]) -> dict[str, list[TapRecord]]:
        """The taps of each of these captures that has any, by their numbers."""
        query = (
            select(taps)
            .where(taps.c.capture_id.in_(set(capture_ids)))
            .order_by(taps.c.capture_id, taps.c.number)
        )
        found: dict[str, list[TapRecord]] = {}
        with self._reading.connect() as connection:
            for row in connection.execute(query).mappings():
                found.setdefault(row["capture_id"], []).append(TapRecord.of(row))
        return found

    def note(self, lease: Lease, number: int, **values: Any) -> None:
        """Writes what a tap has come to; `values` are fields of `TapRecord`.

        Raises:
            LeaseLostError: The lease is held no more.
            KeyError: The capture has no such tap.
        """
        with self._engine.begin() as connection:
            capture_id = lock(connection, lease)
            changed = connection.execute(
                update(taps)
                .where(taps.c.capture_id == capture_id, taps.c.number == number)
                .values(**columns(values))
            )
            if changed.rowcount != 1:
                raise KeyError(number)


def write_taps(connection: Connection, capture: Capture, records: Sequence[TapRecord] | None) -> None:
    """Writes the taps of a capture that waits from now on, in the transaction that lets it wait.

    None leaves those that it has; one that has none has its pod's.
    """
    if records is None:
        known = connection.execute(select(taps.c.number).where(taps.c.capture_id == capture.id)).first()
        if known is not None:
            return
        records = [TapRecord(0, namespace=capture.namespace, pod=capture.pod, node=capture.node)]
    connection.execute(delete(taps).where(taps.c.capture_id == capture.id))
    connection.execute(insert(taps), [one.row(capture.id) for one in records])
