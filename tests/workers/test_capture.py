"""What becomes of a capture whose worker cannot go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.migrated import migrated
from tests.workers.test_housekeeping import ORDER
from workers.capture import run
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings


class _Breaks(Silence):
    """The worker meets this as soon as it shows something."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:  # noqa: ARG002, what the protocol asks
        if capture.state is State.TAPPING:
            raise self._error


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = migrated(tmp_path / "ledger.db")
    yield Ledger(engine)
    engine.dispose()


def queued(ledger: Ledger) -> Capture:
    capture, _ = ledger.request(ORDER)
    return ledger.move(capture.id, State.QUEUED, by="test")


def services(ledger: Ledger, error: Exception) -> Services:
    place = TerminalPlace(Identity("alice", True, "account"), _Breaks(error))
    return Services(Settings(_env_file=None), ledger, NOBODY, None, place)


def test_a_capture_whose_worker_lost_the_database_is_begun_again(ledger: Ledger) -> None:
    capture = queued(ledger)
    let_go = run(services(ledger, OperationalError("", {}, Exception("gone"))), capture.id)
    assert let_go is not None
    assert (let_go.state, let_go.worker) == (State.TAPPING, None)


def test_a_mistake_of_podcaps_own_ends_the_capture(ledger: Ledger) -> None:
    capture = queued(ledger)
    assert run(services(ledger, IntegrityError("", {}, Exception("wrong"))), capture.id) is None
    ended = ledger.get(capture.id)
    assert ended.state is State.FAILED
    assert "made a mistake" in (ended.sentence or "")


def test_a_worker_that_is_to_end_takes_nothing_more(ledger: Ledger) -> None:
    capture = queued(ledger)
    leaving = services(ledger, Exception())
    leaving.leaving.set()
    assert run(leaving, capture.id) is None
    assert ledger.get(capture.id) == capture


def test_a_second_delivery_finds_the_lease_and_leaves(ledger: Ledger) -> None:
    capture = queued(ledger)
    taken, lease = ledger.leases.take(capture.id, "another worker")
    assert run(services(ledger, Exception()), capture.id) is None
    assert ledger.get(capture.id) == taken
    assert ledger.leases.holds(lease)
