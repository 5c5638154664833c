"""How much the store holds, and how much room it has left."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.terminal.checks.result import Result, for_slack, ok, problem
from workers.ledger.archive import Archive
from workers.ledger.engine import open_engine
from workers.settings import Settings, SettingsError
from workers.store import Store
from workers.store_room import LARGEST_FILE
from workers.thread.words import size

_NAME = "room"


def room(settings: Settings) -> Iterator[Result]:
    """Room for another capture; what cannot be looked at is said by the checks of database and store."""
    if not for_slack(settings) and "store_url" not in settings.model_fields_set:
        return
    try:
        free = Store(settings.store_url).free_bytes()
    except Exception:  # noqa: BLE001, every kind of store raises its own
        return
    if free is not None and free < LARGEST_FILE:
        yield problem(
            _NAME,
            f"the disk of PODCAP_STORE_URL has {size(free)} left, and a capture may need "
            f"{size(LARGEST_FILE)}: make room on it.",
        )
        return
    held, limit = _held(settings), settings.store_limit
    if limit is not None and held is not None and held >= limit:
        yield problem(
            _NAME,
            f"the store holds the {size(limit)} that PODCAP_STORE_LIMIT allows: remove files with "
            "`podcap delete`, or raise it.",
        )
        return
    told = [] if held is None else [f"captures take {size(held)}"]
    told += [] if limit is None else [f"PODCAP_STORE_LIMIT allows {size(limit)}"]
    told += [] if free is None else [f"the disk has {size(free)} left"]
    if told:
        yield ok(_NAME, ", ".join(told))


def _held(settings: Settings) -> int | None:
    path = settings.database_url.removeprefix("sqlite:///")
    if path != settings.database_url and not Path(path.partition("?")[0]).exists():
        return None  # to look would make it
    try:
        engine = open_engine(settings.database_url)
    except SettingsError:
        return None
    try:
        return Archive(engine).stored_bytes()
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
