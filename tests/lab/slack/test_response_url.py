"""Response URLs, used by Slack's own client."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from deploy.lab.slack.background import BackgroundSlack
from deploy.lab.slack.payloads import slash_command

BANNER = [{"type": "banner"}]


@pytest.fixture
def url(slack: BackgroundSlack) -> str:
    """The response URL of a command that alice typed in #random, where the app is not."""
    world = slack.workspace.world
    user, channel = world.user("alice"), world.channel("random")
    assert user is not None
    assert channel is not None
    return slash_command(slack.workspace, user, channel, "/podcap", "x")[0]["response_url"]


def test_an_answer_is_for_the_asker_alone(slack: BackgroundSlack, url: str) -> None:
    answer = WebhookClient(url).send(text="hello")
    assert (answer.status_code, answer.body) == (200, "ok")
    assert "hello" in slack.read("ephemeral", user="alice")
    assert slack.read("thread", channel="random") == ""


def test_an_answer_can_be_for_the_channel_even_without_the_app_in_it(
    slack: BackgroundSlack, url: str
) -> None:
    WebhookClient(url).send(text="hello", response_type="in_channel")
    assert "hello" in slack.read("thread", channel="random")


def test_a_response_url_works_five_times(url: str) -> None:
    webhook = WebhookClient(url)
    assert [webhook.send(text="a").status_code for _ in range(6)] == [200] * 5 + [404]
    assert "used_url" in webhook.send(text="a").body


def test_a_response_url_works_for_half_an_hour(slack: BackgroundSlack, url: str) -> None:
    begun = slack.workspace.clock()
    slack.workspace.clock = lambda: begun + 29 * 60
    assert WebhookClient(url).send(text="a").status_code == 200
    slack.workspace.clock = lambda: begun + 31 * 60
    answer = WebhookClient(url).send(text="a")
    assert answer.status_code == 404
    assert "expired_url" in answer.body


def test_an_unknown_url_is_expired(slack: BackgroundSlack) -> None:
    answer = WebhookClient(f"{slack.workspace.base_url}/commands/T1/nonsense").send(text="a")
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "a", "blocks": BANNER}, "invalid_blocks"),
        ({"text": "t" * 40_001}, "msg_too_long"),
    ],
)
def test_an_answer_is_checked_as_a_message_is(url: str, said: dict[str, Any], error: str) -> None:
    answer = WebhookClient(url).send(**said)
    assert answer.status_code == 400
    assert error in answer.body


def test_the_original_can_be_replaced_and_deleted(slack: BackgroundSlack, url: str) -> None:
    webhook = WebhookClient(url)
    webhook.send(text="first")
    webhook.send(text="second", replace_original=True)
    ephemeral = slack.read("ephemeral", user="alice")
    assert "second" in ephemeral
    assert "first" not in ephemeral
    webhook.send(delete_original=True)
    assert slack.read("ephemeral", user="alice") == ""


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "http_500"}, 500), ({"kind": "ratelimited", "seconds": 7}, 429), ({"kind": "error"}, 400)],
)
def test_response_urls_fail_on_demand(
    slack: BackgroundSlack, url: str, fault: dict[str, Any], status: int
) -> None:
    slack.control("faults", method="response_url", **fault)
    webhook = WebhookClient(url, retry_handlers=[])
    assert webhook.send(text="a").status_code == status
    assert webhook.send(text="a").status_code == 200


def test_a_trigger_opens_one_modal_within_three_seconds(slack: BackgroundSlack, api: WebClient) -> None:
    begun = slack.workspace.clock()
    slack.workspace.clock = lambda: begun
    view = {"type": "modal", "title": {"type": "plain_text", "text": "a"}, "blocks": []}
    trigger_id = slack.workspace.expiring.trigger(slack.id("alice"))
    late = slack.workspace.expiring.trigger(slack.id("alice"))
    assert api.views_open(trigger_id=trigger_id, view=view)["view"]["id"].startswith("V")
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        api.views_open(trigger_id=trigger_id, view=view)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        api.views_open(trigger_id="1.2.a", view=view)
    slack.workspace.clock = lambda: begun + 4
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        api.views_open(trigger_id=late, view=view)
