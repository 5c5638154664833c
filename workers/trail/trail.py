"""Writing and reading the trail's table."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, insert, or_, select, text

from workers.ledger.schema import trail
from workers.trail.chain import BEFORE_THE_FIRST, Verdict, check, entry_hash
from workers.trail.entry import Entry, Head, canonical, clean, timestamp

# Any constant does; it names the trail's head among a PostgreSQL server's advisory locks.
_ADVISORY_LOCK = 0x747261696C
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to read; what is None is not asked about.

    `since` is a point in time, `behind` a number; `newest` and `oldest` are how many at most, at which end.
    """

    number: int | None = None
    capture_id: str | None = None
    namespace: str | None = None
    pod: str | None = None
    event: str | None = None
    since: datetime | None = None
    behind: int | None = None
    newest: int | None = None
    oldest: int | None = None

    def query(self) -> Select[Any]:
        """The query, in the order of the entries' numbers."""
        query = select(trail)
        for name in ("number", "capture_id", "namespace", "pod", "event"):
            value = getattr(self, name)
            if value is not None:
                query = query.where(trail.c[name] == value)
        if self.since is not None:
            query = query.where(trail.c.at >= timestamp(self.since))
        if self.behind is not None:
            query = query.where(trail.c.number > self.behind)
        if self.newest is None:
            return query.order_by(trail.c.number).limit(self.oldest)
        last = query.order_by(trail.c.number.desc()).limit(self.newest).subquery()
        return select(last).order_by(last.c.number)


ALL = Wanted()


def append(
    connection: Connection,
    event: str,
    *,
    by: str,
    at: datetime | None = None,
    capture_id: str | None = None,
    namespace: str | None = None,
    pod: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Entry:
    """Appends an entry inside the transaction of `connection`; it is there when that commits.

    One writer at a time comes this far and stays until its transaction ends: SQLite's transactions begin
    IMMEDIATE, and on PostgreSQL a lock of the transaction is taken before the head is read. So this is the
    last thing a transaction does: whoever waits for a row while holding that lock would hold up everybody.

    Without `at` the time is taken when nobody else writes any more, so that on one machine's clock the times
    run as the numbers do.

    Raises:
        TypeError: A fact that JSON does not have.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    last = connection.execute(_LAST).first()
    number, previous = (0, BEFORE_THE_FIRST) if last is None else (last.number, str(last.hash))
    entry = Entry(
        number + 1,
        timestamp(at or datetime.now(UTC)),
        event,
        capture_id,
        namespace,
        pod,
        clean(by),
        canonical(facts or {}),
        "",
    )
    entry = entry._replace(hash=entry_hash(previous, entry))
    connection.execute(_INSERT, entry._asdict())
    return entry


_INSERT = insert(trail)
_LAST = select(trail.c.number, trail.c.hash).order_by(trail.c.number.desc()).limit(1)


class Trail:
    """The trail of one database, for reading. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._reading = engine.execution_options(reading=True)

    def head(self) -> Head:
        """The last entry; number 0 and 64 zeros when there is none."""
        with self._reading.connect() as connection:
            last = connection.execute(_LAST).first()
        return Head(0, BEFORE_THE_FIRST) if last is None else Head(last.number, str(last.hash))

    def entries(self, wanted: Wanted = ALL) -> Iterator[Entry]:
        """The entries that are wanted, in their order, as they were at one moment, in flat memory."""
        return self._rows(wanted.query())

    def verify(self, head: str | None = None) -> Verdict:
        """Checks every entry, as `chain.check` says."""
        # A row with an impossible number comes last: it hides none of those before the one that lacks.
        numbered = trail.c.number >= 1
        impossible = select(trail).where(or_(trail.c.number < 1, trail.c.number.is_(None)))
        with closing(self._rows(ALL.query().where(numbered), impossible)) as rows:
            return check(rows, head)

    def _rows(self, *queries: Select[Any]) -> Generator[Entry]:
        with self._reading.connect() as connection, _bytes_as_they_are(connection):
            streamed = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            for query in queries:
                with streamed.execute(query) as rows:
                    yield from map(Entry._make, rows)


@contextmanager
def _bytes_as_they_are(connection: Connection) -> Iterator[None]:
    """Lets SQLite hand out text that is no UTF-8, which its driver refuses: it was changed."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str
