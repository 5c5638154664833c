"""The ledger was changed by hand, and the trail says so."""

import pytest
from sqlalchemy import Engine, text

from tests.orders import order
from tests.walk import walk
from workers.ledger.agreement import disagreement
from workers.ledger.ledger import Ledger
from workers.ledger.states import State

_WAY = (State.QUEUED, State.TAPPING, State.CAPTURING, State.COLLECTING, State.SUMMARISING)


@pytest.fixture
def delivered(ledger: Ledger) -> str:
    """A capture whose file's SHA-256 is 64 times `a`, behind one without a file."""
    ledger.request(order())
    capture, _ = ledger.request(order())
    walk(ledger, capture.id, *_WAY, State.DELIVERING, file_sha256="a" * 64, file_url="/store/a")
    walk(ledger, capture.id, State.DELIVERED)
    return capture.id


def _by_hand(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def test_a_ledger_that_only_podcap_wrote_to_agrees(engine: Engine, ledger: Ledger, delivered: str) -> None:
    ledger.record(delivered, "downloaded", by="U1")
    ledger.record(None, "audited", by="U1")
    assert disagreement(engine) is None


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE captures SET state = 'denied' WHERE id = :id", "is denied, the trail says that it is deliv"),
        ("UPDATE captures SET file_sha256 = 'b' WHERE id = :id", "another SHA-256"),
        ("UPDATE captures SET file_sha256 = NULL WHERE id = :id", "another SHA-256"),
        ("UPDATE captures SET file_sha256 = 'b' WHERE id <> :id", "another SHA-256"),
        ("DELETE FROM captures WHERE id = :id", "the ledger has not"),
        ("DELETE FROM captures", "the ledger has not"),
        ("UPDATE captures SET id = 'cap-222222' WHERE id = :id", "the ledger has not"),
    ],
)
def test_what_was_changed_by_hand_is_found(engine: Engine, delivered: str, statement: str, says: str) -> None:
    _by_hand(engine, statement, id=delivered)
    said = disagreement(engine)
    assert said is not None
    assert says in said
    assert said.endswith("the ledger was changed by hand.")


def test_a_capture_that_never_was_requested_is_found(engine: Engine, delivered: str) -> None:
    columns = (
        'idempotency_key, state, cluster, namespace, pod, seconds, filter, "full", team_id, channel_id, '
        "origin, user_id, user_name, requested_at, expires_at"
    )
    others = columns.removeprefix("idempotency_key, ")
    _by_hand(
        engine,
        f"INSERT INTO captures (id, {columns}) "
        f"SELECT 'cap-222222', 'new', {others} FROM captures WHERE id = :id",
        id=delivered,
    )
    said = disagreement(engine)
    assert said is not None
    assert "cap-222222 is delivered, the trail has no move of it" in said


@pytest.mark.parametrize("event", ["deleted", "forgotten"])
def test_a_capture_that_the_trail_says_is_gone_need_not_be_in_the_ledger(
    engine: Engine, ledger: Ledger, delivered: str, event: str
) -> None:
    ledger.record(delivered, event, by="beat")
    assert disagreement(engine) is None
    _by_hand(engine, "DELETE FROM captures WHERE id = :id", id=delivered)
    assert disagreement(engine) is None


def test_an_entry_from_before_hashes_stood_there_is_not_held_against_the_ledger(
    engine: Engine, ledger: Ledger
) -> None:
    capture, _ = ledger.request(order())
    walk(ledger, capture.id, *_WAY, State.DELIVERING)
    ledger.note(capture.id, file_sha256="a" * 64)
    assert disagreement(engine) is None
