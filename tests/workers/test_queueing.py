"""Beat tells a few waiting captures in each round where they stand; Redis is out of reach here."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.orders import order
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import Maker, State
from workers.policy.rules import NOBODY
from workers.queueing import advance, line_up, show_places
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings


class _Shown(Silence):
    def __init__(self) -> None:
        self.told: list[tuple[str, int | None, str | None]] = []

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:  # noqa: ARG002, the protocol's
        self.told.append((capture.id, capture.place, capture.waits_for))


@pytest.fixture
def shown() -> _Shown:
    return _Shown()


@pytest.fixture
def services(engine: Engine, shown: _Shown, tmp_path: Path) -> Services:
    settings = Settings(PODCAP_CAPTURES_PER_USER="1", PODCAP_STORE_URL=str(tmp_path))
    place = TerminalPlace(Identity("alice", None, "account"), shown)
    return Services(settings, Ledger(engine), NOBODY, None, place)


def queue(ledger: Ledger, key: int) -> Capture:
    wanted = order(idempotency_key=str(key), seconds=1, user_name="a")
    return ledger.move(ledger.request(wanted)[0].id, State.QUEUED, by="bot")


def beat(services: Services, shown: _Shown) -> list[tuple[str, int | None]]:
    shown.told.clear()
    given = advance(services)
    show_places(services, given, services.ledger.watch.waiting())
    return [(capture_id, place) for capture_id, place, _ in shown.told]


def test_two_in_a_round_learn_their_place_those_most_out_of_date_first(
    services: Services, shown: _Shown
) -> None:
    captures = [queue(services.ledger, key) for key in range(6)]
    first = captures[0]
    rounds = [beat(services, shown) for _ in range(4)]
    assert [len(told) for told in rounds] == [2, 2, 1, 0]
    assert sorted(one for told in rounds for one in told) == sorted(
        (capture.id, place) for place, capture in enumerate(captures[1:], start=1)
    )
    why = services.ledger.get(captures[1].id).waits_for
    assert why == "<@U1> has 1 capture running, the most that one person may have at once"

    # Two end; of the three left, each is one or two places nearer than its message says.
    services.ledger.note(captures[5].id, place=9)
    services.ledger.move(first.id, State.STOPPED, by="U1", maker=Maker.PERSON)
    assert beat(services, shown)[0] == (captures[5].id, 4)
    assert services.ledger.get(captures[1].id).turn_at is not None


def test_what_is_out_of_date_no_more_is_told_nothing(services: Services, shown: _Shown) -> None:
    queue(services.ledger, 1)
    assert beat(services, shown) == []


def test_a_place_that_the_message_said_from_its_first_word_on_is_not_told_again(
    services: Services, shown: _Shown
) -> None:
    queue(services.ledger, 1)
    second, third = queue(services.ledger, 2), queue(services.ledger, 3)
    why = "<@U1> has 1 capture running, the most that one person may have at once"
    line_up(services, replace(second, place=1, waits_for=why))
    assert shown.told == []
    assert (services.ledger.get(second.id).place, services.ledger.get(second.id).waits_for) == (1, why)
    line_up(services, replace(third, place=1, waits_for=why))
    assert shown.told == [(third.id, 2, why)]
