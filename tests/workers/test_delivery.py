"""Delivering a capture's file, with a ledger and a store of its own."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.migrated import migrated
from tests.orders import order
from tests.walk import lease_of, walk
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.delivery import _headers_only, deliver, deliver_stored
from workers.ledger.capture import Capture
from workers.ledger.lease import LeaseLostError
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.place import PlaceError
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.spool.report import EndedBy, SpoolReport
from workers.store import Store
from workers.store_room import refuse_full_store
from workers.summary.summary import Summary
from workers.trail.stored_hash import stored_hash
from workers.trail.trail import Wanted
from workers.work import Ended, Work

ORDER = order(seconds=1, full=True)
TO_DELIVERING = (State.QUEUED, State.TAPPING, State.CAPTURING, State.COLLECTING, State.SUMMARISING)
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
        "The packets could not be cut to their headers. The file is not a pcap file: capture again. "
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
    engine = migrated(tmp_path / "ledger.db")
    yield Ledger(engine)
    engine.dispose()


def _delivering(ledger: Ledger, folder: Path, report: Silence, store: str = "store") -> Work:
    """A capture of one packet that is to go into the store and to `report`."""
    capture, _ = ledger.request(ORDER)
    capture = walk(ledger, capture.id, State.QUEUED, State.TAPPING, State.CAPTURING)
    place = TerminalPlace(Identity("alice", "alice@example.com", "account"), report)
    services = Services(Settings(), ledger, NOBODY, Store(str(folder / store)), place)
    (folder / "spool.pcap").write_bytes(packets.pcap([Record(FRAME)]))
    return Work(services, report, capture, lease_of(capture), folder)


def _deliver(work: Work, *, dropped: int = 0, ended_by: EndedBy = "duration") -> None:
    spool = work.folder / "spool.pcap"
    size = spool.stat().st_size
    report = SpoolReport(1, 1, dropped, size, "0" * 64, ended_by)
    deliver(work, spool, report, None, stored=lambda: None)


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
        "file_bytes": stored.stat().st_size,
    }
    assert ledger.get(work.capture.id).file_url == str(stored)


class _Hears(Silence):
    """Somewhere that takes everything and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.found: list[str] = []

    def say(self, capture: Capture, sentence: str) -> None:  # noqa: ARG002, what the protocol hands over
        self.said.append(sentence)

    def show_summary(self, capture: Capture, summary: Summary) -> None:  # noqa: ARG002, likewise
        self.found += [finding.id for finding in summary.findings]


def test_what_is_known_besides_the_packets_is_among_the_findings(tmp_path: Path, ledger: Ledger) -> None:
    report = _Hears()
    _deliver(_delivering(ledger, tmp_path, report), dropped=3, ended_by="packets")
    assert report.found == ["dropped", "cut-short"]


def test_what_the_store_does_not_take_is_delivered_all_the_same_and_not_looked_for_there(
    tmp_path: Path, ledger: Ledger
) -> None:
    report = _Hears()
    work = _delivering(ledger, tmp_path, report, store="file/store")
    (tmp_path / "file").touch()
    _deliver(work)
    ended = ledger.get(work.capture.id)
    assert (ended.state, ended.file_url, ended.file_bytes) == (State.DELIVERED, None, None)
    assert "file delivered" in _facts(work)
    assert report.said == [
        "podcap's store did not take the file (Not a directory), so podcap keeps no copy of it."
    ]


def test_a_full_store_keeps_no_file_of_a_running_capture_and_admits_no_other(
    tmp_path: Path, ledger: Ledger
) -> None:
    report = _Hears()
    work = _delivering(ledger, tmp_path, report)
    length = (work.folder / "spool.pcap").stat().st_size
    work.services.settings = Settings(PODCAP_STORE_LIMIT=f"{2 * length - 1}B")
    other = ledger.request(replace(ORDER, idempotency_key="2"))[0]
    walk(ledger, other.id, *TO_DELIVERING)
    walk(ledger, other.id, State.DELIVERING, file_url="store/other", file_bytes=length)
    assert refuse_full_store(work.services) is None
    _deliver(work)
    assert not (tmp_path / "store").exists()
    assert ledger.get(work.capture.id).state is State.DELIVERED
    assert report.said == [
        "podcap's store did not take the file (it is full), so podcap keeps no copy of it."
    ]
    ledger.note(other.id, file_bytes=2 * length)
    refusal = refuse_full_store(work.services)
    assert refusal is not None
    assert refusal.startswith("podcap's store is full: it holds the ")


def test_a_disk_without_room_for_a_capture_is_said_to_whoever_asks_for_one(
    tmp_path: Path, ledger: Ledger
) -> None:
    work = _delivering(ledger, tmp_path, Silence())
    ledger.archive.note_free(268_435_455)
    refusal = refuse_full_store(work.services)
    assert refusal is not None
    assert refusal.startswith("The disk of podcap's store is full: 268 MB are left")
    ledger.archive.note_free(268_435_456)
    assert refuse_full_store(work.services) is None
    ledger.archive.note_free(None)
    assert refuse_full_store(work.services) is None


def test_a_file_that_arrived_is_confirmed_with_the_hash_that_was_announced(
    tmp_path: Path, ledger: Ledger
) -> None:
    work = _delivering(ledger, tmp_path, Silence())
    _deliver(work)
    known = _facts(work)
    assert known["file delivered"]["sha256"] == known["delivering"]["file_sha256"]
    assert list(known)[-2:] == ["file delivered", "delivered"]


def _taken_over(work: Work, folder: Path, report: Silence) -> Work:
    """The same capture in the hands of another worker, who has nothing of the first one's."""
    ledger = work.services.ledger
    assert ledger.leases.take_away(ledger.get(work.capture.id), by="beat") is not None
    capture, lease = ledger.leases.take(work.capture.id, "another worker")
    folder.mkdir()
    return Work(work.services, report, capture, lease, folder)


class _Keeps(Silence):
    """Somewhere that takes a file and remembers what was in it."""

    def __init__(self) -> None:
        self.packets = b""

    def deliver(self, capture: Capture, file: Path, name: str) -> str:  # noqa: ARG002, what the protocol hands over
        self.packets = file.read_bytes()
        return "here"


def test_another_worker_delivers_what_was_stored(tmp_path: Path, ledger: Ledger) -> None:
    work = _delivering(ledger, tmp_path, _Breaks(_Killed()))
    with pytest.raises(_Killed):
        _deliver(work)
    (stored,) = (tmp_path / "store").iterdir()
    report = _Keeps()
    assert deliver_stored(_taken_over(work, tmp_path / "another", report))
    assert report.packets == stored.read_bytes()
    ended = ledger.get(work.capture.id)
    assert ended.state is State.DELIVERED
    assert ended.file_sha256 == hashlib.sha256(report.packets).hexdigest()
    assert _facts(work)["file delivered"]["sha256"] == ended.file_sha256


@pytest.mark.parametrize("left", [b"", b"something else"])
def test_a_stored_file_that_is_not_the_one_that_was_announced_is_not_delivered(
    tmp_path: Path, ledger: Ledger, left: bytes
) -> None:
    work = _delivering(ledger, tmp_path, _Breaks(_Killed()))
    with pytest.raises(_Killed):
        _deliver(work)
    (stored,) = (tmp_path / "store").iterdir()
    if left:
        stored.write_bytes(left)
    else:
        stored.unlink()
    assert not deliver_stored(_taken_over(work, tmp_path / "another", _Keeps()))
    assert ledger.get(work.capture.id).state is State.DELIVERING


def test_a_worker_whose_capture_is_anothers_stores_and_delivers_nothing(
    tmp_path: Path, ledger: Ledger
) -> None:
    report = _Keeps()
    work = _delivering(ledger, tmp_path, report)
    _taken_over(work, tmp_path / "another", Silence())
    with pytest.raises(LeaseLostError):
        _deliver(work)
    assert not (tmp_path / "store").exists()
    assert report.packets == b""


class _Fails(_Keeps):
    """Somewhere that fails by itself at first."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 1

    def deliver(self, capture: Capture, file: Path, name: str) -> str:
        if self.failures:
            self.failures -= 1
            raise PlaceError("Slack cannot be reached: ask again in a minute.", passing=True)
        return super().deliver(capture, file, name)


def test_a_place_that_fails_by_itself_is_tried_again(tmp_path: Path, ledger: Ledger) -> None:
    report = _Fails()
    work = _delivering(ledger, tmp_path, report)
    _deliver(work)
    assert ledger.get(work.capture.id).state is State.DELIVERED
    assert report.packets


def test_a_file_that_came_out_otherwise_is_announced_again(tmp_path: Path, ledger: Ledger) -> None:
    work = _delivering(ledger, tmp_path, Silence())
    work.advance(State.COLLECTING)
    work.advance(State.SUMMARISING)
    work.move(State.DELIVERING, file_sha256="a" * 64, file_url=f"{tmp_path}/store/x.pcapng")
    _deliver(work)
    ended = ledger.get(work.capture.id)
    (stored,) = (tmp_path / "store").iterdir()
    assert ended.file_sha256 == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert _facts(work)["announced again"] == {"file_sha256": ended.file_sha256}
    assert stored_hash(ledger.trail.entries(Wanted(capture_id=ended.id))) == ended.file_sha256
