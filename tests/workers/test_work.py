"""A worker that hung and comes back after another one was given its capture."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workers.ledger.capture import Capture, Order
from workers.ledger.ledger import IllegalMoveError, Ledger
from workers.ledger.states import State
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.slack.place import SlackPlace
from workers.work import Work

ORDER = Order(
    idempotency_key="trigger",
    cluster="default",
    namespace="traefik",
    pod="cheddar",
    seconds=30,
    filter="",
    full=False,
    team_id="T1",
    channel_id="C1",
    user_id="U1",
    user_name="alice",
    response_url=None,
)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def work(ledger: Ledger, tmp_path: Path) -> Work:
    capture, _ = ledger.request(ORDER)
    ledger.move(capture.id, State.QUEUED, by="bot")
    taken = take(ledger, capture, NOON)
    settings = Settings(SLACK_BOT_TOKEN="xoxb-none", SLACK_API_URL="http://127.0.0.1:1/")
    services = Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger))
    return Work(services, Silence(), taken, tmp_path)


def take(ledger: Ledger, capture: Capture, at: datetime) -> Capture:
    return ledger.move(capture.id, State.TAPPING, by="worker", started_at=at)


def test_a_worker_that_was_not_taken_for_dead_goes_on(work: Work) -> None:
    assert not work.is_lost()
    work.move(State.CAPTURING)
    assert not work.stop_asked()
    assert work.capture.state is State.CAPTURING


@pytest.mark.parametrize("taken_again", [False, True])
def test_one_that_was_moves_nothing_any_more(work: Work, ledger: Ledger, taken_again: bool) -> None:
    ledger.requeue(work.capture.id, by="beat")
    if taken_again:
        take(ledger, work.capture, NOON + timedelta(minutes=2))
    before = ledger.get(work.capture.id)
    assert work.is_lost()
    for state in (State.CAPTURING, State.FAILED):
        with pytest.raises(IllegalMoveError, match="given to another worker"):
            work.move(state)
    with pytest.raises(IllegalMoveError, match="given to another worker"):
        work.stop_asked()
    assert ledger.get(work.capture.id) == before
