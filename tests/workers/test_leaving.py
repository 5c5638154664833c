"""A worker that is told to end: what its captures do not let go of in time is let go for them."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine

from tests.workers.test_work import ORDER
from workers.leaving import Leaver
from workers.ledger.capture import Capture
from workers.ledger.lease import Lease
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.policy.rules import NOBODY
from workers.services import Services
from workers.settings import Settings
from workers.slack.place import SlackPlace


class _LeftError(Exception):
    """In the place of the process's end."""


@pytest.fixture
def services(engine: Engine) -> Iterator[Services]:
    settings = Settings(SLACK_BOT_TOKEN="xoxb-none", SLACK_API_URL="http://127.0.0.1:1/")
    ledger = Ledger(engine)
    with closing(Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger))) as services:
        yield services


@pytest.fixture
def lease(services: Services) -> Lease:
    capture, _ = services.ledger.request(ORDER)
    services.ledger.move(capture.id, State.QUEUED, by="bot")
    return services.ledger.leases.take(capture.id, "worker")[1]


def leave(services: Services, *, at_once: bool) -> list[Capture]:
    """What is published for other workers."""
    published: list[Capture] = []

    def left() -> None:
        raise _LeftError

    leaver = Leaver(services, published.append, left)
    leaver.ask(at_once=at_once)
    with pytest.raises(_LeftError):
        leaver.run()
    return published


def test_what_a_thread_hangs_at_is_let_go_and_published(services: Services, lease: Lease) -> None:
    with services.heart.beating(lease):
        (published,) = leave(services, at_once=True)
    assert (published.id, published.worker, published.state) == (lease.capture_id, None, State.TAPPING)
    assert not services.ledger.leases.holds(lease)


def test_in_good_order_nothing_is_published_twice(
    services: Services, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.leaving.LEAVE_SECONDS", 0.5)
    with services.heart.beating(lease):
        services.ledger.leases.let_go(lease)
        assert leave(services, at_once=False) == []


def test_the_second_time_it_is_asked_it_is_at_once(services: Services, lease: Lease) -> None:
    published: list[Capture] = []
    leaver = Leaver(services, published.append, lambda: None)
    leaver.ask()
    leaver.ask()
    with services.heart.beating(lease):
        leaver.run()
    assert [one.id for one in published] == [lease.capture_id]
