"""The database behind the ledger: an engine, set up so that SQLite and PostgreSQL behave alike.

A transaction is serialised where it matters by locks, not by the isolation level: SQLite takes its write lock
at BEGIN IMMEDIATE; on PostgreSQL, at READ COMMITTED, a move locks its capture's row and an entry of the trail
takes an advisory lock. A connection with the execution option `reading` takes no lock that others wait for.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from workers.settings import SettingsError

_PSYCOPG = "postgresql+psycopg"

# A slash command is answered within three seconds, also when the database cannot be reached; a broken
# connection that is in use is noticed after ten. Both are libpq's (PostgreSQL's manual, 34.1.2).
_LIBPQ = {"connect_timeout": 2, "tcp_user_timeout": 10_000, "fallback_application_name": "podcap"}

# How long one session may bother the others, in milliseconds. Every statement of the ledger takes far less
# than a second: one that takes 30 s is a fault. A lock is waited for as long as SQLite's busy timeout.
# A process that hangs within a transaction holds the trail's lock, so that nobody's capture moves: the server
# ends it after a minute.
_SESSION = {
    "statement_timeout": 30_000,
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 60_000,
}

_WAITS = ("statement_timeout", "lock_timeout")
_PATIENCE = 10.0

ACK_PATIENCE = 2.0
"""Seconds for what is done before an ack: Slack shows an error after three (Slack's "Acknowledgment")."""


def open_engine(url: str, setting: str = "PODCAP_DATABASE_URL", *, patience: float | None = None) -> Engine:
    """An engine for the ledger's database; it connects when first used.

    SQLite: write-ahead log, so that readers never wait; BEGIN IMMEDIATE, so that a transaction which
    will write holds the write lock from its start and never fails half-way; a busy timeout of 10 s.
    PostgreSQL, by `postgresql://` or `postgres://`: READ COMMITTED, whatever the server's default is, and a
    connection is tried before it is used, since servers and what lies between close idle ones.

    Args:
        url: Where the database is.
        setting: The setting that the URL is from, for the error's sentence.
        patience: Seconds for each wait (a lock, a statement, a free connection); None for the usual ones.

    Raises:
        SettingsError: The URL cannot be understood, its driver is not installed, or the folder of a file
            cannot be made. It never tells the URL, because that holds a password.
    """
    parsed = _parse(url, setting)
    try:
        if parsed.get_backend_name() == "postgresql":
            return _open_postgresql(parsed, patience)
        return _open_sqlite(parsed, setting, patience)
    except (ArgumentError, ImportError):
        raise SettingsError(
            f"{setting}: podcap has no driver called {parsed.drivername}: "
            "write sqlite:///… or postgresql://…. See docs/database.md."
        ) from None


def _parse(url: str, setting: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"{setting}: it is no URL of a database: write sqlite:///FILE or "
            "postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE. See docs/database.md."
        ) from None
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername=_PSYCOPG)
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsError(
            f"{setting}: podcap keeps its ledger in SQLite or PostgreSQL, not in {parsed.drivername}. "
            "See docs/database.md."
        )
    # The part of such a password behind its @ would be taken for a host, and named in an error.
    if "@" in (parsed.host or ""):
        raise SettingsError(f"{setting}: an @ within the password is written %40.")
    return parsed


def cannot_be_written(setting: str, file: str, error: OSError) -> SettingsError:
    """What is said of a database's file, or of its folder, that the system does not let podcap write."""
    return SettingsError(
        f"{setting}: {file} cannot be written ({error.strerror}): set it to a file that you may write."
    )


def _pool(patience: float | None) -> dict[str, float]:
    return {} if patience is None else {"pool_timeout": patience}


def _open_sqlite(url: URL, setting: str, patience: float | None) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_be_written(setting, url.database, error) from None
    engine = create_engine(url, **_pool(patience))
    event.listen(engine, "connect", partial(_set_up_sqlite, patience or _PATIENCE))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(patience: float, connection: Any, _record: object) -> None:
    # The driver's own transaction control would begin late and without IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    busy = f"busy_timeout={patience * 1000:.0f}"
    for pragma in ("journal_mode=WAL", busy, "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if _is_reading(connection) else "BEGIN IMMEDIATE")


def _open_postgresql(url: URL, patience: float | None) -> Engine:
    # What the URL's own query says, such as connect_timeout=10, goes before these.
    unsaid = {name: value for name, value in _LIBPQ.items() if name not in url.query}
    engine = create_engine(
        url,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=unsaid,
        **_pool(patience),
    )
    waits = {} if patience is None else dict.fromkeys(_WAITS, round(patience * 1000))
    event.listen(engine, "connect", partial(_set_up_postgresql, _SESSION | waits))
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _set_up_postgresql(session: Mapping[str, int], connection: Any, _record: object) -> None:
    # Not by libpq's `options`, which poolers such as PgBouncer refuse.
    settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in session.items())
    connection.execute(f"SELECT {settings}")
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if _is_reading(connection):
        # Somebody may page through the trail for an hour; nobody waits for a reader.
        connection.exec_driver_sql(
            "SELECT set_config('transaction_read_only', 'on', true),"
            " set_config('idle_in_transaction_session_timeout', '0', true)",
            execution_options={"stream_results": False, "yield_per": None},
        ).close()


def _is_reading(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("reading", False))
