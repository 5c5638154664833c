"""Posting once, with a workspace that loses answers, and with an app that may not read messages."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine

from deploy.lab.slack.background import BackgroundSlack
from tests.orders import order
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.thread.heads import Heads
from workers.thread.messages import sentence_message
from workers.thread.posted import HEAD
from workers.thread.posts import Posts

MESSAGE = sentence_message("Something happened.")


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[BackgroundSlack]:
    with BackgroundSlack(tmp_path) as running:
        running.workspace.limits.scale = 0.0
        yield running


@pytest.fixture
def client(slack: BackgroundSlack) -> WebClient:
    token = slack.workspace.credentials.bot_token
    return WebClient(token=token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def capture(slack: BackgroundSlack, engine: Engine) -> Capture:
    wanted = order(seconds=1, channel_id=slack.id("incidents"), user_name="a")
    return Ledger(engine).request(wanted)[0]


def posts(client: WebClient, *, doubt: bool = False) -> Posts:
    return Posts(client, client, Heads(client), doubt=doubt)


def shown(slack: BackgroundSlack) -> int:
    return len(slack.state()["messages"].get("incidents", []))


def test_a_message_whose_answer_was_lost_is_found_and_not_posted_again(
    slack: BackgroundSlack, client: WebClient, capture: Capture
) -> None:
    slack.control("faults", method="chat.postMessage", kind="lost", times=1)
    ts = posts(client).post(capture, HEAD, MESSAGE)
    assert shown(slack) == 1
    # A worker that takes over finds it, too; a reply of another kind in its thread is none of it.
    assert posts(client, doubt=True).post(capture, HEAD, MESSAGE) == ts
    headed = replace(capture, message_ts=ts)
    replies = [posts(client, doubt=True).post(headed, what, MESSAGE) for what in ("one", "two", "one")]
    assert replies[0] == replies[2] != replies[1]
    assert shown(slack) == 3


def test_an_app_that_may_not_read_messages_posts_all_the_same(
    slack: BackgroundSlack, client: WebClient, capture: Capture
) -> None:
    scopes = [one for one in slack.workspace.scopes if not one.endswith(":history")]
    slack.control("scopes", scopes=scopes)
    ts = posts(client, doubt=True).post(capture, HEAD, MESSAGE)
    headed = replace(capture, message_ts=ts)
    assert posts(client, doubt=True).post(headed, "one", MESSAGE) != ts
    # Lost, it counts as not posted: whoever tries again may post it twice, and loses nothing.
    slack.control("faults", method="chat.postMessage", kind="lost", times=1)
    lossy = posts(client)
    with pytest.raises(Exception) as failed:  # noqa: PT011, whatever the connection breaks with
        lossy.post(headed, "two", MESSAGE)
    assert not isinstance(failed.value, SlackApiError)
    lossy.post(headed, "two", MESSAGE)
    assert shown(slack) == 4
