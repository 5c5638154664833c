"""Fetching and deleting a stored file, by what the trail says of it."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.terminal.command import CommandError
from bot.terminal.delete import _remove
from bot.terminal.download import _fetch
from bot.terminal.identity import Identity
from bot.terminal.stored import StoredFile
from tests.migrated import migrated
from tests.orders import order
from tests.walk import walk
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.store import Store

_NAME = "cap.pcap"
_WAY = (State.QUEUED, State.TAPPING, State.CAPTURING, State.COLLECTING, State.SUMMARISING)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = migrated(tmp_path / "ledger.db")
    yield engine
    engine.dispose()


@pytest.fixture
def stored(engine: Engine, tmp_path: Path) -> StoredFile:
    """A capture whose file, the text `packets`, is in the store."""
    ledger, store = Ledger(engine), Store(str(tmp_path / "store"))
    asked = order(seconds=1)
    capture, _ = ledger.request(asked)
    walk(ledger, capture.id, *_WAY)
    digest = hashlib.sha256(b"packets").hexdigest()
    url = store.url(_NAME)
    walk(ledger, capture.id, State.DELIVERING, file_sha256=digest, file_url=url)
    (tmp_path / "packets").write_bytes(b"packets")
    store.put(tmp_path / "packets", _NAME)
    capture = walk(ledger, capture.id, State.DELIVERED)
    return StoredFile(capture, _NAME, store, ledger, Identity("alice", True, "account"))


def _events(stored: StoredFile) -> list[str]:
    return [entry.event for entry in stored.ledger.trail.entries()][len(_WAY) + 3 :]


def test_the_file_that_was_captured_is_handed_out(stored: StoredFile) -> None:
    target = io.BytesIO()
    _fetch(stored, target)
    assert target.getvalue() == b"packets"


def test_a_forged_file_is_refused_also_when_the_ledger_was_made_to_fit(
    stored: StoredFile, tmp_path: Path
) -> None:
    forged = hashlib.sha256(b"forged").hexdigest()
    (tmp_path / "store" / _NAME).write_bytes(b"forged")
    stored.ledger.note(stored.capture.id, file_sha256=forged)
    with pytest.raises(CommandError, match="not the one that was captured"):
        _fetch(stored, io.BytesIO())
    assert _events(stored) == ["download refused"]
    refused = list(stored.ledger.trail.entries())[-1]
    assert (refused.by, refused.known()["found"]) == ("alice", forged)
    assert refused.known()["sha256"] == hashlib.sha256(b"packets").hexdigest()


def test_an_entry_that_somebody_appends_later_does_not_replace_the_hash(stored: StoredFile) -> None:
    for event, key in (
        ("file delivered", "sha256"),
        ("delivering", "file_sha256"),
        ("announced again", "file_sha256"),
    ):
        stored.ledger.record(stored.capture.id, event, by="mallory", facts={key: "f" * 64})
    assert stored.sha256 == hashlib.sha256(b"packets").hexdigest()


def test_a_deleted_file_is_gone_from_store_and_ledger_and_the_trail_says_whose_it_was(
    stored: StoredFile, tmp_path: Path
) -> None:
    _remove(stored)
    assert list((tmp_path / "store").iterdir()) == []
    assert stored.ledger.get(stored.capture.id).file_url is None
    assert _events(stored) == ["deleted"]


def test_a_file_that_the_store_does_not_remove_can_be_deleted_later(
    stored: StoredFile, tmp_path: Path
) -> None:
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    (tmp_path / "store").write_bytes(b"")  # no folder, so that nothing in it can be removed
    with pytest.raises(CommandError, match="cannot be removed"):
        _remove(stored)
    assert stored.ledger.get(stored.capture.id).file_url == stored.capture.file_url
    assert _events(stored) == ["deleted", "delete failed"]


def test_no_file_is_gone_without_an_entry(stored: StoredFile, engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON trail BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(Exception, match="disk full"):
        _remove(stored)
    assert (tmp_path / "store" / _NAME).read_bytes() == b"packets"
    assert stored.ledger.get(stored.capture.id).file_url is not None
