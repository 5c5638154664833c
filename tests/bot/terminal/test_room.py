"""The doctor's line on the store's room."""

from pathlib import Path

import pytest

from bot.terminal.checks.result import Status
from bot.terminal.checks.room import room
from tests.migrated import migrated
from tests.orders import order
from workers.ledger.ledger import Ledger
from workers.settings import Settings

ORDER = order(seconds=1, full=True)


@pytest.mark.parametrize(
    ("limit", "status", "words"),
    [
        ("2kB", Status.OK, "captures take 1.5 kB, PODCAP_STORE_LIMIT allows 2.0 kB, the disk has "),
        ("1.5kB", Status.PROBLEM, "the store holds the 1.5 kB that PODCAP_STORE_LIMIT allows: remove"),
    ],
)
def test_it_says_how_much_captures_take_and_what_to_do_when_that_is_all(
    tmp_path: Path, limit: str, status: Status, words: str
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    engine = migrated(tmp_path / "ledger.db")
    ledger = Ledger(engine)
    ledger.note(ledger.request(ORDER)[0].id, file_url="store/1", file_bytes=1500)
    engine.dispose()
    settings = Settings(
        PODCAP_DATABASE_URL=url, PODCAP_STORE_URL=str(tmp_path / "captures"), PODCAP_STORE_LIMIT=limit
    )
    (found,) = room(settings)
    assert (found.check, found.status) == ("room", status)
    assert found.text.startswith(words)


def test_a_database_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    settings = Settings(
        PODCAP_DATABASE_URL=f"sqlite:///{tmp_path}/none.db", PODCAP_STORE_URL=str(tmp_path / "captures")
    )
    (found,) = room(settings)
    assert found.text.startswith("the disk has ")
    assert list(tmp_path.iterdir()) == []


def test_without_slack_and_without_a_store_there_is_no_room_to_speak_of(tmp_path: Path) -> None:
    assert list(room(Settings(PODCAP_DATABASE_URL=f"sqlite:///{tmp_path}/none.db"))) == []
