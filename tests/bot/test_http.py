"""The bot's HTTP server, as the kubelet, Prometheus and Slack reach it."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bot.http import make_server
from tests.hangs import HANGS


@contextmanager
def serving(healthy: Callable[[], str | None], ready: Callable[[], str | None]) -> Iterator[int]:
    """The port of a bot in Socket Mode."""
    server = make_server(None, 0, [healthy], [ready])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join()
        server.task_dispatcher.shutdown()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=HANGS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_it_answers_over_ipv4_and_ipv6(host: str) -> None:
    with serving(lambda: None, lambda: None) as port:
        for path in ("healthz", "readyz"):
            status, body = get(f"http://{host}:{port}/{path}")
            assert (status, json.loads(body)) == (200, {"status": "ok", "wrong": []})


def test_what_is_wrong_is_one_sentence_under_its_own_path() -> None:
    with serving(lambda: None, lambda: "The database is away.") as port:
        status, body = get(f"http://127.0.0.1:{port}/readyz")
        assert (status, json.loads(body)) == (503, {"status": "failing", "wrong": ["The database is away."]})
        assert get(f"http://127.0.0.1:{port}/healthz")[0] == 200


def test_metrics_are_served_and_other_paths_are_not_found() -> None:
    with serving(lambda: None, lambda: None) as port:
        status, body = get(f"http://127.0.0.1:{port}/metrics")
        assert status == 200
        assert b"# TYPE podcap_publish_failures_total counter" in body
        assert get(f"http://127.0.0.1:{port}/slack/events")[0] == 404
