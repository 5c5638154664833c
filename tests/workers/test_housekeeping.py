"""What beat does about captures of a terminal: without a word to Slack, which is out of reach here."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from tests.migrated import migrated
from tests.orders import terminal_order
from tests.walk import walk
from workers.housekeeping import keep_house
from workers.ledger.capture import SLACK, Capture
from workers.ledger.leases import MOST_LOST_WORKERS
from workers.ledger.ledger import Ledger
from workers.ledger.schema import captures
from workers.ledger.states import State
from workers.policy.rules import NOBODY
from workers.pulse import Pulse
from workers.services import Services
from workers.settings import Settings
from workers.slack.place import SlackPlace

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
ORDER = terminal_order(user_id="system:serviceaccount:a-namespace-with-a-name:and-an-account-with-a-long-one")

Old = Callable[..., Capture]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = migrated(tmp_path / "podcap.db")
    yield engine
    engine.dispose()


@pytest.fixture
def services(engine: Engine) -> Services:
    settings = Settings(
        SLACK_BOT_TOKEN="xoxb-none", SLACK_API_URL="http://127.0.0.1:1/", KUBECONFIG="/no/such/file"
    )
    ledger = Ledger(engine)
    return Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger))


@pytest.fixture
def requested(engine: Engine, services: Services) -> Old:
    def write(*states: State, **columns: object) -> Capture:
        capture, _ = services.ledger.request(ORDER)
        walk(services.ledger, capture.id, *states)
        if columns:
            with engine.begin() as connection:
                connection.execute(update(captures).where(captures.c.id == capture.id).values(**columns))
        return services.ledger.get(capture.id)

    return write


@pytest.mark.parametrize("states", [[], [State.QUEUED]])
def test_one_that_waits_is_left_to_the_process_that_asked_for_it(
    services: Services, requested: Old, states: list[State]
) -> None:
    before = requested(*states, requested_at=LONG_AGO)
    keep_house(services, Pulse(silence=0, looks=0))
    assert services.ledger.get(before.id) == before


def test_one_that_waited_too_long_expires(services: Services, requested: Old) -> None:
    capture = requested(State.QUEUED, expires_at=LONG_AGO)
    keep_house(services, Pulse(silence=0, looks=0))
    ended = services.ledger.get(capture.id)
    assert (ended.state, ended.shown) == (State.EXPIRED, State.EXPIRED)
    assert ended.sentence == "Its terminal went away before it began: ask again."


def test_one_whose_terminal_died_ends_and_counts_as_shown(services: Services, requested: Old) -> None:
    capture = requested(State.QUEUED, State.TAPPING, started_at=LONG_AGO)
    keep_house(services, Pulse(silence=0, looks=0))
    ended = services.ledger.get(capture.id)
    assert (ended.state, ended.shown) == (State.FAILED, State.FAILED)


def lose(services: Services, capture: Capture) -> Capture:
    """A worker takes it and dies."""
    services.ledger.leases.take(capture.id, "worker")
    keep_house(services, Pulse(silence=0, looks=0))
    return services.ledger.get(capture.id)


@pytest.mark.parametrize("stored", [False, True])
def test_one_that_lost_three_workers_ends_and_says_what_is_kept(
    services: Services, requested: Old, stored: bool
) -> None:
    capture = requested(State.QUEUED, origin=SLACK, response_url="http://127.0.0.1:1/")
    for _ in range(MOST_LOST_WORKERS - 1):
        capture = lose(services, capture)
        assert (capture.state, capture.worker) == (State.TAPPING, None)
    if stored:
        services.ledger.note(capture.id, stored_at=services.ledger.clock(), file_url="/store/a.pcapng")
    ended = lose(services, capture)
    kept = ". What was captured is kept as `a.pcapng`." if stored else ": ask again."
    assert (ended.state, ended.sentence) == (State.FAILED, f"3 workers died at this capture{kept}")


def test_one_that_finds_no_other_worker_ends(services: Services, requested: Old) -> None:
    capture = lose(services, requested(State.QUEUED, origin=SLACK))
    services.ledger.note(capture.id, expires_at=LONG_AGO)
    keep_house(services, Pulse(silence=0, looks=0))
    ended = services.ledger.get(capture.id)
    assert (ended.state, ended.sentence) == (
        State.FAILED,
        "No worker went on with this capture in time: ask again.",
    )
