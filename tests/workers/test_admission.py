"""What admission refuses before it asks the cluster, on real databases."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from bot.terminal.turn import wait_for_turn
from tests.orders import terminal_order
from tests.walk import walk
from workers.admission import accept
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.policy.rules import policy_of
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.store import Store


class _Heard(Silence):
    def __init__(self) -> None:
        self.sentences: list[str | None] = []

    def show(self, capture: Capture, *, queue_reachable: bool = True) -> None:  # noqa: ARG002, the protocol's
        self.sentences.append(capture.sentence)


@pytest.fixture
def heard() -> _Heard:
    return _Heard()


@pytest.fixture
def services(engine: Engine, heard: _Heard, tmp_path: Path) -> Services:
    settings = Settings(
        KUBECONFIG="/no/such/file",
        PODCAP_STORE_URL=str(tmp_path),
        PODCAP_STORE_LIMIT="1KB",
        PODCAP_CAPTURES_PER_USER="1",
    )
    place = TerminalPlace(Identity("alice", None, "account"), heard)
    policy = policy_of({"rules": [{"namespaces": ["traefik"]}]})
    return Services(settings, Ledger(engine), policy, Store(str(tmp_path)), place)


def ask(services: Services, key: str, origin: str = TERMINAL) -> Capture:
    wanted = terminal_order(idempotency_key=key, seconds=1, user_id="alice", origin=origin)
    return services.ledger.request(wanted)[0]


def test_a_full_store_refuses_a_request_with_a_sentence_that_says_what_to_do(
    services: Services, heard: _Heard
) -> None:
    kept = ask(services, "1")
    services.ledger.note(kept.id, file_url="/store/a.pcapng", file_bytes=1000)
    refused = ask(services, "2")
    assert accept(services, refused) is None
    ended = services.ledger.get(refused.id)
    assert ended.state is State.DENIED
    assert ended.sentence is not None
    assert ended.sentence.startswith("podcap's store is full: it holds the 1.0 kB that PODCAP_STORE_LIMIT")
    assert "`podcap delete`" in ended.sentence
    assert heard.sentences == [ended.sentence]


def test_a_terminal_says_what_it_waits_for_and_begins_when_another_ended(services: Services) -> None:
    first, second = ask(services, "1"), ask(services, "2")
    for one in (first, second):
        walk(services.ledger, one.id, State.QUEUED)
    assert wait_for_turn(services, first, pytest.fail)
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        walk(services.ledger, first.id, State.STOPPED)

    assert wait_for_turn(services, second, hear)
    assert said == [
        "Waiting: 1st in the queue, you have 1 capture running, the most that one person may have at once."
    ]
