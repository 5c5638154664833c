"""The stand-in, serving in a thread; a small Bolt app that it can talk to."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

from deploy.lab.slack.background import BackgroundSlack
from tests.hangs import HANGS


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[BackgroundSlack]:
    """A new stand-in without rate limits, whose files appear in their threads at once."""
    with BackgroundSlack(tmp_path) as running:
        running.workspace.share_after = 0.0
        running.workspace.limits.scale = 0.0
        yield running


@pytest.fixture
def api(slack: BackgroundSlack) -> WebClient:
    """Slack's own client, with the bot's token and without retries."""
    token = slack.workspace.credentials.bot_token
    return WebClient(token=token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def bolt(slack: BackgroundSlack, api: WebClient) -> App:
    """A Bolt app of the stand-in's workspace, without listeners yet."""
    return App(client=api, signing_secret=slack.workspace.credentials.signing_secret)


@pytest.fixture
def over_http(slack: BackgroundSlack, bolt: App) -> Iterator[BackgroundSlack]:
    """The stand-in, with the Bolt app serving over HTTP as its app."""
    with make_server(
        "127.0.0.1", 0, SlackRequestHandler(bolt), server_class=_Server, handler_class=_Handler
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        slack.control("request-url", url=f"http://127.0.0.1:{server.server_port}/slack/events")
        yield slack
        server.shutdown()
        thread.join(20)
    assert not thread.is_alive()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """The test's output is pytest's."""


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Waits until something is so, and returns it; fails when it never is."""

    def wait(condition: Callable[[], Any]) -> Any:
        give_up = time.monotonic() + HANGS
        while not (value := condition()):
            assert time.monotonic() < give_up, "it never came"
            time.sleep(0.02)
        return value

    return wait
