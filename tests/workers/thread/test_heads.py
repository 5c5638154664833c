"""Finding captures' messages in a channel of many, without reading it anew for each."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from slack_sdk import WebClient
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
OTHERS, CAPTURES = 250, 12
PAGES = 3
"""So many it takes to read what others wrote."""


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[BackgroundSlack]:
    """A workspace in which others write a message a second in #incidents."""
    with BackgroundSlack(tmp_path) as running:
        running.workspace.limits.scale = 0.0
        others_write(running)
        yield running


def others_write(slack: BackgroundSlack) -> None:
    messages = slack.workspace.messages
    clock = messages.clock
    for ago in range(OTHERS + 10, 10, -1):
        messages.clock = partial(lambda ago: clock() - ago, ago)
        messages.post(slack.id("incidents"), {"user": slack.id("alice"), "text": f"{ago} s ago"})
    messages.clock = clock


@pytest.fixture
def client(slack: BackgroundSlack) -> WebClient:
    token = slack.workspace.credentials.bot_token
    return WebClient(token=token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def captures(slack: BackgroundSlack, engine: Engine) -> list[Capture]:
    ledger = Ledger(engine)
    return [ledger.request(order(channel_id=slack.id("incidents")))[0] for _ in range(CAPTURES)]


def pages_read(slack: BackgroundSlack) -> int:
    return slack.workspace.calls.counts["conversations.history"]


def test_what_others_wrote_is_read_once_for_all_whose_message_is_in_doubt(
    slack: BackgroundSlack, client: WebClient, captures: list[Capture]
) -> None:
    heads = Heads(client)
    posted = [Posts(client, client, heads, doubt=True).post(one, HEAD, MESSAGE) for one in captures]
    assert pages_read(slack) == PAGES + CAPTURES - 1
    assert [heads.find(one) for one in captures] == posted


def test_a_message_that_another_process_posted_meanwhile_is_found(
    slack: BackgroundSlack, client: WebClient, captures: list[Capture]
) -> None:
    heads = Heads(client)
    for one in captures:
        assert heads.find(one) is None
        # As a bot that died at it, which knows nothing of what beat has read.
        ts = Posts(client, client, Heads(client), doubt=False).post(one, HEAD, MESSAGE)
        assert heads.find(one) == ts
    assert pages_read(slack) == PAGES + 2 * CAPTURES - 1


def requested_later(capture: Capture) -> Capture:
    """Long after everything that is in the channel."""
    return replace(capture, requested_at=capture.requested_at + timedelta(minutes=20))


def test_for_a_request_from_before_what_was_read_more_is_read(
    slack: BackgroundSlack, client: WebClient, captures: list[Capture]
) -> None:
    heads = Heads(client)
    ts = Posts(client, client, heads, doubt=False).post(captures[0], HEAD, MESSAGE)
    assert heads.find(requested_later(captures[1])) is None
    assert pages_read(slack) == 1
    assert heads.find(captures[0]) == ts


def test_nothing_is_read_of_a_time_of_which_nobody_asked(
    slack: BackgroundSlack, client: WebClient, captures: list[Capture]
) -> None:
    heads = Heads(client)
    heads.find(captures[0])
    others_write(slack)
    before = pages_read(slack)
    heads.find(requested_later(captures[1]))
    assert pages_read(slack) == before + 1
