"""Turns: a queued capture begins when the ledger gives it its turn, and the ledger never gives one too many.

A turn is no move. The capture stays `queued`, and its id is published from then on; until it has ended it
takes a place in each of its rooms (`workers.line`). Giving turns is one transaction that one process at a
time is in, so that two that look at the same free place never both give it away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, func, or_, select, text, update

from workers.ledger.capture import SLACK, Capture
from workers.ledger.schema import captures, taps
from workers.ledger.states import ACTIVE, State
from workers.line import Held, Seat, joined, stand

# Any constant does; it names the line among a PostgreSQL server's advisory locks.
_ADVISORY_LOCK = 0x6C696E65

_HAS_TURN = or_(
    captures.c.state.in_(ACTIVE),
    and_(captures.c.state == State.QUEUED, captures.c.turn_at.is_not(None)),
)


@dataclass(frozen=True, slots=True)
class Given:
    """Whose turn it is now, in their order, and what holds back each of the others by id."""

    captures: list[Capture]
    held: dict[str, Held]


class Turns:
    """The line of one database. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def give(self, limits: Mapping[str, int], *, now: datetime, terminal: str | None = None) -> Given:
        """Gives every turn for which there is room, in the line's order.

        A capture of a terminal takes its turn itself: nobody else knows whether it is still there. It stands
        in the line like any other.

        Args:
            limits: How many there may be at once: `line.stand`.
            now: The time.
            terminal: The id of the terminal's capture that asks; None gives those of Slack their turns.
        """
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            turns, held = stand(_written_line(connection, now), _running(connection), limits)
            given = []
            for seat in turns:
                changed = connection.execute(
                    update(captures)
                    .where(
                        captures.c.id == seat.id,
                        captures.c.state == State.QUEUED,
                        captures.c.turn_at.is_(None),
                        captures.c.origin == SLACK if terminal is None else captures.c.id == terminal,
                    )
                    .values(turn_at=now, place=None, waits_for=None)
                )
                if changed.rowcount == 1:
                    given.append(seat.id)
            rows = connection.execute(select(captures).where(captures.c.id.in_(given))).mappings()
            by_id = {row["id"]: Capture.of(row) for row in rows}
        return Given([by_id[one] for one in given], held)

    def foresee(
        self, capture: Capture, limits: Mapping[str, int], *, nodes: Iterable[str], now: datetime
    ) -> Held | None:
        """What would hold back a capture on these nodes if it joined the line now; None: nothing would.

        Nothing is written: others may be first.
        """
        newcomer = Seat(
            id=capture.id,
            user=capture.user_id,
            channel=capture.channel_id,
            nodes=tuple(dict.fromkeys(nodes)),
            cluster=capture.cluster,
        )
        with self._reading.connect() as connection:
            line, _ = _line(connection, now, newcomer)
            _, held = stand(line, _running(connection), limits)
        return held.get(capture.id)

    def note_place(self, capture_id: str, place: int, waits_for: str) -> bool:
        """Remembers what is shown of a waiting capture's place; False when it does not wait any more."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(captures)
                .where(
                    captures.c.id == capture_id,
                    captures.c.state == State.QUEUED,
                    captures.c.turn_at.is_(None),
                )
                .values(place=place, waits_for=waits_for)
            )
            return changed.rowcount == 1

    def waiting_before(self, capture: Capture) -> int:
        """How many captures of the same person were asked for before this one and have not had their turn."""
        earlier = or_(
            captures.c.requested_at < capture.requested_at,
            and_(captures.c.requested_at == capture.requested_at, captures.c.id < capture.id),
        )
        query = (
            select(func.count())
            .select_from(captures)
            .where(
                captures.c.state.in_((State.REQUESTED, State.QUEUED)),
                captures.c.turn_at.is_(None),
                captures.c.user_id == capture.user_id,
                captures.c.origin == capture.origin,
                earlier,
            )
        )
        with self._reading.connect() as connection:
            return int(connection.execute(query).scalar_one())


def _written_line(connection: Connection, now: datetime) -> list[Seat]:
    """Those that wait; whoever is new joins the line, and the ledger knows it."""
    line, moved = _line(connection, now)
    for one in moved:
        values = {"round": one.round, "lap": one.lap}
        connection.execute(update(captures).where(captures.c.id == one.id).values(values))
    return line


def _line(connection: Connection, now: datetime, *newcomers: Seat) -> tuple[list[Seat], list[Seat]]:
    """Those that wait, whoever is new behind the others; and those of them whose numbers are new."""
    query = (
        select(*_SEAT)
        .where(
            captures.c.state == State.QUEUED,
            captures.c.turn_at.is_(None),
            captures.c.expires_at > now,
        )
        .order_by(captures.c.requested_at, captures.c.id)
    )
    seats = [*_seats(connection, query), *newcomers]
    line = {seat.id: seat for seat in seats if seat.round}
    moved: dict[str, Seat] = {}
    for seat in seats:
        if seat.round:
            continue
        for one in joined(seat, line.values(), **_now(connection, seat)):
            if line.get(one.id) != one:
                line[one.id] = moved[one.id] = one
    return list(line.values()), list(moved.values())


def _now(connection: Connection, seat: Seat) -> dict[str, int]:
    """How far the rounds have come, and the laps of the capture's channel."""
    had = captures.c.turn_at.is_not(None)
    last_round = select(func.max(captures.c.round)).where(had)
    last_lap = select(func.max(captures.c.lap)).where(had, captures.c.channel_id == seat.channel)
    return {
        "round_now": connection.execute(last_round).scalar_one() or 0,
        "lap_now": connection.execute(last_lap).scalar_one() or 0,
    }


def _running(connection: Connection) -> list[Seat]:
    return _seats(connection, select(*_SEAT).where(_HAS_TURN))


_SEAT = [captures.c[name] for name in ("id", "user_id", "channel_id", "node", "cluster", "round", "lap")]


def _seats(connection: Connection, query: Select[Any]) -> list[Seat]:
    rows = connection.execute(query).all()
    where = select(taps.c.capture_id, taps.c.node).where(taps.c.capture_id.in_([row.id for row in rows]))
    nodes: dict[str, dict[str, None]] = {}
    for capture_id, node in connection.execute(where.order_by(taps.c.capture_id, taps.c.number)):
        nodes.setdefault(capture_id, {})[node or ""] = None
    return [_seat(row, nodes.get(row.id) or {row.node or "": None}) for row in rows]


def _seat(row: Row[Any], nodes: Iterable[str]) -> Seat:
    return Seat(
        id=row.id,
        user=row.user_id,
        channel=row.channel_id,
        nodes=tuple(node for node in nodes if node),
        cluster=row.cluster,
        round=row.round or 0,
        lap=row.lap or 0,
    )
