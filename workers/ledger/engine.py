"""The database behind the ledger: an engine, set up so that SQLite and PostgreSQL behave alike."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from workers.settings import SettingsError


def open_engine(url: str) -> Engine:
    """An engine for the ledger's database; it connects when first used.

    SQLite: write-ahead log, so that readers never wait; BEGIN IMMEDIATE, so that a transaction which
    will write holds the write lock from its start and never fails half-way; a busy timeout of 10 s.
    A connection with the execution option `reading` takes no write lock.

    Raises:
        SettingsError: The URL cannot be understood or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=not sqlite)
    except (ArgumentError, ImportError) as error:
        raise SettingsError(f"PODCAP_DATABASE_URL: {error}. See docs/settings.md.") from None
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction control would begin late and without IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
