"""Rows of the ledger as every transaction on them needs: read, locked, fenced off, told to the trail."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from workers.ledger.capture import Capture
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.schema import captures, heartbeats
from workers.request.targets import in_short
from workers.trail.entry import Entry
from workers.trail.trail import append


def capture_of(connection: Connection, capture_id: str) -> Capture:
    """The capture with this id.

    Raises:
        KeyError: There is none.
    """
    row = connection.execute(select(captures).where(captures.c.id == capture_id)).mappings().first()
    if row is None:
        raise KeyError(capture_id)
    return Capture.of(row)


def lock(connection: Connection, lease: Lease) -> str:
    """Locks the capture's row until the transaction ends, so that the lease cannot be lost before that.

    Raises:
        LeaseLostError: It is lost already.
    """
    token = connection.execute(
        select(captures.c.token).where(captures.c.id == lease.capture_id).with_for_update()
    ).scalar_one_or_none()
    if token != lease.token:
        raise LeaseLostError(f"{lease.capture_id} was taken from {lease.worker}")
    return lease.capture_id


def fence(connection: Connection, capture_id: str) -> None:
    """From now on no lease of this capture is good any more."""
    connection.execute(
        update(captures).where(captures.c.id == capture_id).values(token=captures.c.token + 1, worker=None)
    )
    connection.execute(delete(heartbeats).where(heartbeats.c.capture_id == capture_id))


def append_of(
    connection: Connection, capture: Capture, event: str, *, by: str, facts: Mapping[str, Any]
) -> Entry:
    """Appends an entry about a capture to the trail; of several targets its facts name them all (`of`)."""
    return append(
        connection,
        event,
        by=by,
        capture_id=capture.id,
        namespace=capture.namespace,
        pod=capture.pod,
        facts={**facts, **of_several(capture.targets, capture.cluster)},
    )


def of_several(targets: str | None, cluster: str) -> dict[str, str]:
    """What an entry says of several targets, as its columns have the first one's; nothing of one."""
    words = "" if targets is None else in_short(targets, cluster)
    return {"of": words} if " " in words else {}
