"""The bot's HTTP server, as the kubelet and Slack reach it."""

import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.http import make_server
from tests.hangs import HANGS
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.policy.rules import NOBODY
from workers.services import Services
from workers.settings import Settings
from workers.slack.place import SlackPlace


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where a bot in Socket Mode serves."""
    settings = Settings(SLACK_BOT_TOKEN="xoxb-none", PORT=0)
    engine = open_engine(f"sqlite:///{tmp_path}/podcap.db")
    migrate(engine)
    ledger = Ledger(engine)
    server = make_server(None, Services(settings, ledger, NOBODY, None, SlackPlace(settings, ledger)))
    serving = threading.Thread(target=server.run)
    serving.start()
    try:
        yield server.effective_port
    finally:
        server.trigger.pull_trigger(server.close)
        serving.join()
        server.task_dispatcher.shutdown()
        engine.dispose()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_it_answers_over_ipv4_and_ipv6(port: int, host: str) -> None:
    for path, words in (("healthz", b"ok\n"), ("readyz", b"ready\n")):
        with urllib.request.urlopen(f"http://{host}:{port}/{path}", timeout=HANGS) as answer:
            assert (answer.status, answer.read()) == (200, words)
