"""A worker that hung and comes back after another one was given its capture."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.moves import moves
from tests.orders import order
from workers.cluster.errors import ForbiddenError, UnreachableError
from workers.ledger.lease import LeaseLostError
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.place import PlaceError
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.slack.place import SlackPlace
from workers.work import Leaving, Work

ORDER = order()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def work(ledger: Ledger, tmp_path: Path) -> Work:
    capture, _ = ledger.request(ORDER)
    ledger.move(capture.id, State.QUEUED, by="bot")
    taken, lease = ledger.leases.take(capture.id, "worker")
    settings = Settings(SLACK_BOT_TOKEN="xoxb-none", SLACK_API_URL="http://127.0.0.1:1/")
    services = Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger))
    return Work(services, Silence(), taken, lease, tmp_path)


def test_a_worker_that_was_not_taken_for_dead_goes_on(work: Work) -> None:
    assert not work.is_lost()
    work.move(State.CAPTURING)
    assert not work.stop_asked()
    assert work.capture.state is State.CAPTURING


@pytest.mark.parametrize("taken_again", [False, True])
def test_one_that_was_moves_nothing_any_more(work: Work, ledger: Ledger, taken_again: bool) -> None:
    ledger.leases.take_away(work.capture, by="beat")
    if taken_again:
        ledger.leases.take(work.capture.id, "another worker")
    before = ledger.get(work.capture.id)
    assert work.is_lost()
    for state in (State.CAPTURING, State.FAILED):
        with pytest.raises(LeaseLostError):
            work.move(state)
    with pytest.raises(LeaseLostError):
        work.stop_asked()
    with pytest.raises(LeaseLostError):
        work.say("It is mine.")
    assert ledger.get(work.capture.id) == before


def test_a_move_that_an_earlier_worker_made_is_passed_over(work: Work, ledger: Ledger) -> None:
    work.move(State.CAPTURING)
    for state in (State.TAPPING, State.CAPTURING):
        work.advance(state)
    work.advance(State.COLLECTING)
    assert [state for state, _ in moves(ledger, work.capture.id)] == [
        State.REQUESTED,
        State.QUEUED,
        State.TAPPING,
        State.CAPTURING,
        State.COLLECTING,
    ]


def test_a_worker_that_is_to_end_waits_for_nothing(work: Work) -> None:
    work.services.leaving.set()
    for wait in (work.stop_asked, work.give_up_if_stopped, work.refuse_if_leaving):
        with pytest.raises(Leaving):
            wait()


def test_a_step_that_nobody_answered_is_made_again(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.work._SHORTEST_PAUSE", 0.0)
    answers = iter([UnreachableError("no answer"), PlaceError("no answer", passing=True), "evidence"])

    def step() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert work.patiently(step) == "evidence"


@pytest.mark.parametrize("refusal", [ForbiddenError("no right"), PlaceError("archived", lasting=True)])
def test_a_step_that_was_refused_is_not(work: Work, refusal: Exception) -> None:
    answers = iter([refusal])

    def step() -> None:
        raise next(answers)

    with pytest.raises(type(refusal)):
        work.patiently(step)


def test_a_step_is_not_made_again_for_ever(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.work._PATIENCE_SECONDS", 0.0)

    def step() -> None:
        raise UnreachableError("no answer")

    with pytest.raises(UnreachableError):
        work.patiently(step)
