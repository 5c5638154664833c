"""Who may call the Web API, and in which form."""

import json

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.lab.slack.background import BackgroundSlack

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"


def test_a_call_without_a_token_is_not_authed(slack: BackgroundSlack) -> None:
    assert slack.call("auth.test", b"", FORM, authorization="")["error"] == "not_authed"


@pytest.mark.parametrize("token", ["Bearer xoxb-1-2-3", "Bearer nonsense"])
def test_a_wrong_token_is_invalid(slack: BackgroundSlack, token: str) -> None:
    assert slack.call("auth.test", b"", FORM, authorization=token)["error"] == "invalid_auth"


def test_a_token_may_come_in_the_form_but_not_in_the_url(slack: BackgroundSlack) -> None:
    token = slack.workspace.credentials.bot_token
    in_form = slack.call("auth.test", f"token={token}".encode(), FORM, authorization="")
    assert in_form["ok"]
    status, body, _ = slack.request("GET", f"/api/auth.test?token={token}")
    assert (status, json.loads(body)["error"]) == (200, "not_authed")
    assert "a token in the query of a URL" in slack.workspace.calls.violations[0]


def test_each_token_has_its_own_methods(slack: BackgroundSlack) -> None:
    app_token = f"Bearer {slack.workspace.credentials.app_token}"
    refused = slack.call("auth.test", b"", FORM, authorization=app_token)
    assert refused["error"] == "not_allowed_token_type"
    assert slack.call("apps.connections.open", b"", FORM)["error"] == "not_allowed_token_type"
    opened = slack.call("apps.connections.open", b"", FORM, authorization=app_token)
    assert opened["url"].startswith("ws://127.0.0.1:")


def test_an_unknown_method_says_so(slack: BackgroundSlack) -> None:
    assert slack.call("chat.shout", b"", FORM)["error"] == "unknown_method"


def test_the_retired_upload_says_so(slack: BackgroundSlack) -> None:
    assert slack.call("files.upload", b"", FORM)["error"] == "method_deprecated"


def test_a_missing_scope_is_named(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("scopes", scopes=["channels:read", "users:read"])
    with pytest.raises(SlackApiError) as refused:
        api.chat_postMessage(channel=slack.id("incidents"), text="hi")
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "chat:write"
    assert refused.value.response["provided"] == "channels:read,users:read"


def test_each_type_of_conversation_needs_its_scope(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("scopes", scopes=["channels:read"])
    assert api.conversations_info(channel=slack.id("incidents"))["ok"]
    with pytest.raises(SlackApiError) as refused:
        api.conversations_info(channel=slack.id("war-room"))
    assert refused.value.response["needed"] == "groups:read"
    with pytest.raises(SlackApiError) as refused:
        api.conversations_list(types="public_channel,im")
    assert refused.value.response["needed"] == "im:read"


def test_answers_tell_the_granted_scopes(api: WebClient) -> None:
    headers = api.auth_test().headers
    assert "chat:write" in headers["X-OAuth-Scopes"].split(",")


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"{", JSON, "invalid_json"),
        (b"[]", JSON, "json_not_object"),
        (b"{}", "application/json; charset=ebcdic", "invalid_charset"),
        (b"<a/>", "text/xml", "invalid_post_type"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(
    slack: BackgroundSlack, body: bytes, content_type: str, error: str
) -> None:
    assert slack.call("chat.postMessage", body, content_type)["error"] == error


def test_json_without_a_charset_is_answered_with_a_warning(slack: BackgroundSlack) -> None:
    body = json.dumps({"channel": slack.id("incidents"), "text": "hi"}).encode()
    answer = slack.call("chat.postMessage", body, "application/json")
    assert answer["ok"]
    assert answer["warning"] == "missing_charset"
    assert answer["response_metadata"]["warnings"] == ["missing_charset"]


def test_methods_that_take_no_json_do_not_look_into_it(slack: BackgroundSlack) -> None:
    body = json.dumps({"channel": slack.id("incidents")}).encode()
    answer = slack.call("conversations.info", body, JSON)
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


def test_blocks_in_a_form_are_json(slack: BackgroundSlack) -> None:
    body = f"channel={slack.id('incidents')}&text=hi&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D"
    assert slack.call("chat.postMessage", body.encode(), FORM)["message"]["blocks"][0]["type"] == "divider"
    body = f"channel={slack.id('incidents')}&text=hi&blocks=%5B"
    assert slack.call("chat.postMessage", body.encode(), FORM)["error"] == "invalid_blocks_format"


def test_api_test_gives_back_what_it_got(api: WebClient) -> None:
    assert api.api_test(foo="bar")["args"]["foo"] == "bar"
    with pytest.raises(SlackApiError, match="my_error"):
        api.api_test(error="my_error")


def test_too_many_calls_are_ratelimited_with_retry_after(slack: BackgroundSlack, api: WebClient) -> None:
    at = 1_700_000_000.0
    slack.workspace.clock = lambda: at
    slack.control("limits", scale=1)
    channel = slack.id("incidents")
    for _ in range(5):
        api.chat_postMessage(channel=channel, text="hi")
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            api.chat_postMessage(channel=channel, text="hi")
        assert refused.value.response.status_code == 429
        assert refused.value.response["error"] == "ratelimited"
        assert refused.value.response.headers["Retry-After"] == "1"
    assert api.chat_postMessage(channel=slack.id("general"), text="hi")["ok"]
    assert slack.workspace.calls.violations == [
        "chat.postMessage: called again before Retry-After had passed"
    ]
    slack.workspace.clock = lambda: at + 1
    assert api.chat_postMessage(channel=channel, text="hi")["ok"]


def test_the_log_of_calls_holds_no_token(slack: BackgroundSlack, api: WebClient) -> None:
    api.chat_postMessage(channel=slack.id("incidents"), text="hi")
    token = slack.workspace.credentials.bot_token
    slack.call("auth.test", f"token={token}".encode(), FORM, authorization="")
    state = slack.read("state")
    assert json.loads(state)["calls"]["counts"] == {"chat.postMessage": 1, "auth.test": 1}
    assert token not in state
