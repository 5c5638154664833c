"""Slack waits three seconds for an ack, so a request of Slack waits less than that for a busy database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.orders import order
from workers.ledger.capture import TERMINAL
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.trail.trail import append


@pytest.fixture
def hasty(engine: Engine) -> Iterator[Engine]:
    made = open_engine(engine.url.render_as_string(hide_password=False), patience=1.0)
    yield made
    made.dispose()


def test_a_request_of_slack_gives_up_and_nothing_of_it_is_left(engine: Engine, hasty: Engine) -> None:
    ledger = Ledger(engine, acking=hasty)
    asked = order()
    with engine.begin() as busy:
        append(busy, "doctor", by="beat", capture_id=None, namespace=None, pod=None, facts={})
        with pytest.raises(OperationalError):
            ledger.request(asked)
    assert ledger.watch.waiting() == []
    capture, new = ledger.request(asked)
    assert new
    assert ledger.request(asked) == (capture, False)


def test_a_terminal_waits_as_long_as_everybody_else(engine: Engine, hasty: Engine) -> None:
    ledger = Ledger(engine, acking=hasty)
    capture, new = ledger.request(order(origin=TERMINAL))
    assert new
    assert capture.origin == TERMINAL
    assert hasty.pool.checkedin() == 0  # type: ignore[attr-defined]
