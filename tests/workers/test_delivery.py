"""Delivering a capture's file, with a ledger and a store of its own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.delivery import _headers_only, deliver
from workers.ledger.capture import Capture, Order
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.ledger.states import State
from workers.place import PlaceError
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.spool.report import SpoolReport
from workers.store import Store
from workers.trail.trail import Wanted
from workers.work import Ended, Work

MARKER = hashlib.shake_128(b"marker").digest(100)
FRAME = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(1, 53, MARKER)))


def test_the_uncut_packets_are_gone_once_they_are_cut(tmp_path: Path) -> None:
    raw = tmp_path / "spool.pcap"
    raw.write_bytes(packets.pcap([Record(FRAME)] * 3))
    path = _headers_only(raw)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == packets.pcap([Record(FRAME, snaplen=42)] * 3)


def test_of_packets_that_cannot_be_cut_nothing_is_kept(tmp_path: Path) -> None:
    raw = tmp_path / "spool.pcap"
    raw.write_bytes(MARKER)
    with pytest.raises(Ended) as ended:
        _headers_only(raw)
    assert ended.value.state is State.FAILED
    assert str(ended.value) == (
        "The packets could not be cut to their headers. The file is not a pcap file. "
        "So nothing of them is kept."
    )
    assert list(tmp_path.iterdir()) == []


class _Killed(BaseException):
    """Ends a worker at once, as SIGKILL does."""


class _Breaks(Silence):
    """Somewhere that takes no file."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def deliver(self, capture: Capture, file: Path, name: str) -> str:  # noqa: ARG002, what the protocol hands over
        raise self._error


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    yield Ledger(engine)
    engine.dispose()


def _delivering(ledger: Ledger, folder: Path, report: Silence, store: str = "store") -> Work:
    """A capture of one packet that is to go into the store and to `report`."""
    asked = Order("1", "default", "traefik", "cheddar", 1, "", True, "T1", "C1", "U1", "alice", None)
    capture, _ = ledger.request(asked)
    for state in (State.QUEUED, State.TAPPING, State.CAPTURING):
        capture = ledger.move(capture.id, state, by="worker")
    place = TerminalPlace(Identity("alice", "alice@example.com", "account"), report)
    services = Services(Settings(), ledger, NOBODY, Store(str(folder / store)), place)
    (folder / "spool.pcap").write_bytes(packets.pcap([Record(FRAME)]))
    return Work(services, report, capture, folder)


def _deliver(work: Work) -> None:
    spool = work.folder / "spool.pcap"
    size = spool.stat().st_size
    deliver(work, spool, SpoolReport(1, 1, 0, size, "0" * 64, "duration"), None)


def _facts(work: Work) -> dict[str, dict[str, Any]]:
    entries = work.services.ledger.trail.entries(Wanted(capture_id=work.capture.id))
    return {entry.event: entry.known() for entry in entries}


@pytest.mark.parametrize("error", [_Killed(), PlaceError("Slack does not answer.")])
def test_a_file_whose_way_breaks_off_has_its_hash_and_its_destination_in_the_trail(
    tmp_path: Path, ledger: Ledger, error: BaseException
) -> None:
    work = _delivering(ledger, tmp_path, _Breaks(error))
    with pytest.raises((_Killed, Ended)):
        _deliver(work)
    (stored,) = (tmp_path / "store").iterdir()
    known = _facts(work)
    assert "file delivered" not in known
    assert known["delivering"] == {
        "from": "summarising",
        "name": stored.name,
        "destination": "C1",
        "file_sha256": hashlib.sha256(stored.read_bytes()).hexdigest(),
        "file_url": str(stored),
    }
    assert ledger.get(work.capture.id).file_url == str(stored)


def test_what_the_store_does_not_take_is_not_looked_for_there(tmp_path: Path, ledger: Ledger) -> None:
    work = _delivering(ledger, tmp_path, Silence(), store="spool.pcap/store")
    with pytest.raises(Ended, match="could not be stored"):
        _deliver(work)
    assert ledger.get(work.capture.id).file_url is None


def test_a_file_that_arrived_is_confirmed_with_the_hash_that_was_announced(
    tmp_path: Path, ledger: Ledger
) -> None:
    work = _delivering(ledger, tmp_path, Silence())
    _deliver(work)
    known = _facts(work)
    assert known["file delivered"]["sha256"] == known["delivering"]["file_sha256"]
    assert list(known)[-2:] == ["file delivered", "delivered"]
