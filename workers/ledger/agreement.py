"""Whether the ledger says of each capture what the trail says: its state, and the hash of its file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, case, func, select, text

from workers.ledger.schema import captures, trail
from workers.ledger.states import State
from workers.trail.entry import Entry
from workers.trail.stored_hash import ANNOUNCED_AGAIN

GONE = ("deleted", "forgotten")
"""Events after which the ledger need not have a capture any more."""

_ANNOUNCING = (State.DELIVERING, ANNOUNCED_AGAIN)

_ROWS_AT_ONCE = 1000


def disagreement(engine: Engine) -> str | None:
    """A sentence on a capture of which ledger and trail say different things, or None.

    Meant for a trail whose chain is intact. Each table is read once and in flat memory, and what belongs
    together is found by sorting or hashing: whoever takes the indexes away cannot make this hang.
    """
    with _reading(engine) as connection:
        for query, judge in ((_told(), _against_the_ledger), (_untold(), _without_a_move)):
            with connection.execute(query) as rows:
                for row in rows:
                    said = judge(row)
                    if said is not None:
                        return f"{said}: the ledger was changed by hand."
    return None


def _told() -> Select[Any]:
    """What the trail says of each capture, and what the ledger has of it."""
    moves = (
        select(
            trail.c.capture_id,
            func.max(case((trail.c.event.in_(State), trail.c.number))).label("last"),
            func.max(case((trail.c.event.in_(_ANNOUNCING), trail.c.number))).label("delivering"),
            func.max(case((trail.c.event.in_(GONE), trail.c.number))).label("gone"),
        )
        .where(trail.c.capture_id.is_not(None), trail.c.event.in_([*State, *GONE, ANNOUNCED_AGAIN]))
        .group_by(trail.c.capture_id)
        .subquery()
    )
    last, delivering = trail.alias(), trail.alias()
    return (
        select(
            moves.c.capture_id,
            moves.c.gone,
            last.c.event.label("told"),
            delivering.c.facts,
            captures.c.id,
            captures.c.state,
            captures.c.file_sha256,
        )
        .select_from(moves)
        .join(last, last.c.number == moves.c.last)
        .outerjoin(delivering, delivering.c.number == moves.c.delivering)
        .outerjoin(captures, captures.c.id == moves.c.capture_id)
    )


def _untold() -> Select[Any]:
    """Captures that the trail has no move of."""
    moved = select(trail.c.capture_id).where(trail.c.event.in_(State)).distinct().subquery()
    return (
        select(captures.c.id, captures.c.state)
        .outerjoin(moved, moved.c.capture_id == captures.c.id)
        .where(moved.c.capture_id.is_(None))
    )


def _against_the_ledger(row: Row[Any]) -> str | None:
    if row.id is None:
        return None if row.gone else f"The trail has {row.capture_id}, the ledger has not"
    if row.state != row.told:
        return f"The ledger says that {row.id} is {row.state}, the trail says that it is {row.told}"
    if row.facts is None:
        told = None
    else:
        known = Entry(0, "", "", None, None, None, "", row.facts, "").known()
        if "file_sha256" not in known:
            return None  # an entry of before podcap wrote it there
        told = known["file_sha256"]
    if row.file_sha256 != told:
        return f"The ledger has another SHA-256 of the file of {row.id} than the trail"
    return None


def _without_a_move(row: Row[Any]) -> str:
    return f"The ledger says that {row.id} is {row.state}, the trail has no move of it"


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.execution_options(reading=True).connect() as connection:
        if engine.dialect.name == "postgresql":
            # Reading a long trail is the one statement that may take its time.
            connection.execute(text("SELECT set_config('statement_timeout', '0', true)")).close()
        yield connection.execution_options(yield_per=_ROWS_AT_ONCE)
