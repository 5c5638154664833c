"""The ledger's database: looked at and not changed."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from bot.terminal.checks.result import Result, ok, problem
from workers.ledger import migrations
from workers.ledger.engine import open_engine
from workers.ledger.rights import unprotected
from workers.ledger.unusable import why_unusable
from workers.settings import Settings, SettingsError

_NAME = "database"
_TRAIL = "trail"
_FORWARD = "the next podcap that starts brings it forward; with an owner, `python -m workers.ledger` does"


def database(settings: Settings) -> Iterator[Result]:
    """Reachable, with the newest schema, and a trail that nobody alters by mistake."""
    file = _file(settings.database_url)
    if file is not None:
        why = _why_not_writable(file)
        if why is not None:
            yield problem(
                _NAME,
                f"PODCAP_DATABASE_URL: {file} cannot be written ({why}): set it to a file you may write.",
            )
            return
        if not file.exists():
            yield ok(_NAME, f"{file} is not there yet: the first capture makes it")
            return
    try:
        engine = open_engine(settings.database_url)
    except SettingsError as error:
        yield problem(_NAME, str(error))
        return
    try:
        with engine.execution_options(reading=True).connect() as connection:
            yield from _inside(engine, connection)
    except SQLAlchemyError as error:
        yield problem(_NAME, f"PODCAP_DATABASE_URL: {why_unusable(error, engine.url)}")
    finally:
        engine.dispose()


def _file(url: str) -> Path | None:
    path = url.removeprefix("sqlite:///").partition("?")[0]
    return Path(path) if url.startswith("sqlite:///") and path not in {"", ":memory:"} else None


def _why_not_writable(file: Path) -> str | None:
    """SQLite makes files beside the database: its folder counts, and before that is there, the one above."""
    folder = next(above for above in file.absolute().parents if above.exists())
    try:
        # A file without a name where the system can (Linux's O_TMPFILE): nothing is left in any case. Root
        # is let in everywhere, so that to ask for rights would not find a file system that takes no files.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return error.strerror
    return None if not file.exists() or os.access(file, os.W_OK) else "read-only"


def _inside(engine: Engine, connection: Connection) -> Iterator[Result]:
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine.dialect.name, engine.dialect.name)
    version = ".".join(map(str, engine.dialect.server_version_info or ()))
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    scripts = ScriptDirectory.from_config(config)
    newest, here = scripts.get_current_head(), MigrationContext.configure(connection).get_current_revision()
    if here is None:
        yield ok(_NAME, f"{kind} {version}, empty: whichever process starts first sets it up")
        return
    if here != newest:
        known = any(revision.revision == here for revision in scripts.walk_revisions())
        what = f"is behind ({here}, not {newest}): {_FORWARD}" if known else "is newer: run the newer podcap"
        yield problem(_NAME, f"the schema {what}.")
        return
    yield ok(_NAME, f"{kind} {version}, schema {here}")
    yield _trail(connection)


def _trail(connection: Connection) -> Result:
    if "trail" not in inspect(connection).get_table_names():
        return problem(_TRAIL, "its table is gone: restore the database from its backup.")
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trail'"
        wanted = 3
    else:
        query = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'trail'::regclass AND tgenabled <> 'D'"
        wanted = 1
    if int(connection.scalar(text(query)) or 0) < wanted:
        return problem(_TRAIL, "nothing keeps entries from being changed: somebody took its triggers off.")
    if connection.dialect.name == "sqlite":
        return ok(_TRAIL, "append-only by triggers; whoever can write the file can alter it")
    reason = unprotected(connection, str(connection.scalar(text("SELECT current_user"))))
    if reason is None:
        return ok(_TRAIL, "append-only by rights and triggers")
    return ok(_TRAIL, f"append-only by triggers alone: {reason.rstrip('.')}")
