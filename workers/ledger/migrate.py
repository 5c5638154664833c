"""Bringing the ledger's database to the newest schema, once, whichever process is first."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from workers.ledger.engine import cannot_be_written, open_engine
from workers.ledger.revisions import VERSIONS, revisions
from workers.ledger.rights import grant, unprotected
from workers.ledger.unusable import NOT_ALLOWED, sqlstate, why_unusable
from workers.settings import SettingsError

# Any constant does; it names podcap's migrations among a PostgreSQL server's advisory locks.
_ADVISORY_LOCK = 0x706F6463
_SETTING = "PODCAP_DATABASE_URL"
_OWNER_SETTING = "PODCAP_DATABASE_OWNER_URL"


def migrate(engine: Engine, owner_url: str | None = None) -> None:
    """Runs the migrations that are missing; processes that start together wait for the first.

    Without an owner the engine's own role migrates. When nothing is missing it needs no right to create or
    alter a table.

    Args:
        engine: The ledger's database.
        owner_url: The same database on PostgreSQL, as the role that owns the tables. It migrates, and grants
            the engine's role what podcap needs and no more: `workers.ledger.rights`.

    Raises:
        SettingsError: The database cannot be used, its schema is not this podcap's and may not be made so,
            or the rights cannot be what they should be.
    """
    if owner_url is None:
        with _said_of(_SETTING, engine):
            _upgrade(engine)
        return
    if engine.dialect.name != "postgresql":
        raise SettingsError(f"{_OWNER_SETTING}: only PostgreSQL knows owners; leave it out with SQLite.")
    with _said_of(_SETTING, engine), engine.connect() as connection:
        role = str(connection.scalar(select(func.current_user())))
    owner = open_engine(owner_url, _OWNER_SETTING)
    try:
        with _said_of(_OWNER_SETTING, owner):
            _upgrade(owner, grant_to=role)
    finally:
        owner.dispose()
    # Two URLs may name two databases; then this one is behind.
    with _said_of(_SETTING, engine):
        _upgrade(engine)


def _upgrade(engine: Engine, grant_to: str | None = None) -> None:
    """Everything in one transaction: a migration that fails leaves the schema as it was."""
    with _one_at_a_time(engine), engine.begin() as connection:
        _wait_for_others(connection)
        if not _is_newest(connection):
            from workers.ledger.upgrade import upgrade  # noqa: PLC0415, see there

            if not upgrade(connection):
                raise _NewerError
        if grant_to is not None:
            grant(connection, grant_to)
            reason = unprotected(connection, grant_to)
            if reason is not None:
                raise SettingsError(f"{_OWNER_SETTING}: {reason} See docs/database.md.")


def _is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table(VERSIONS):
        return False
    here: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSIONS}"))  # noqa: S608, ours
    return here == revisions()[-1]


class _NewerError(Exception):
    """The schema is of a podcap newer than this one."""


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    # SQLite: from before the first connection on, because that one changes the journal's mode.
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        yield
        return
    try:
        lock = Path(f"{path}.lock").open("w")  # noqa: SIM115, closed below, apart from what is said of it here
    except OSError as error:
        raise cannot_be_written(_SETTING, path, error) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait_for_others(connection: Connection) -> None:
    # PostgreSQL: released with the transaction, also when this process dies.
    if connection.dialect.name != "postgresql":
        return
    # A migration may take long, and whoever waits for it does so until it is done. For a table that is in
    # use it waits a minute: behind it everybody else waits for the table, too.
    for statement in (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = 0",
        f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})",
        "SET LOCAL lock_timeout = '1min'",
    ):
        connection.execute(text(statement))


@contextmanager
def _said_of(setting: str, engine: Engine) -> Iterator[None]:
    """Turns what goes wrong into the one sentence that names the setting."""
    try:
        yield
    except _NewerError:
        raise SettingsError(
            f"{setting}: the schema of this database is newer than this podcap: run the newer podcap."
        ) from None
    except SQLAlchemyError as error:
        if sqlstate(error) in NOT_ALLOWED:
            raise SettingsError(
                f"{setting}: the schema of database {engine.url.database} is not this podcap's, and role "
                f"{engine.url.username} may not change it: run `python -m workers.ledger` with "
                f"{_OWNER_SETTING} set. See docs/database.md."
            ) from None
        raise SettingsError(f"{setting}: {why_unusable(error, engine.url)}") from None
