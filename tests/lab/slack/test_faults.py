"""Trouble on demand, as Slack's own client meets it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.lab.slack.background import BackgroundSlack
from deploy.lab.slack.faults import parse


def test_a_call_is_answered_with_an_error_as_often_as_asked(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="chat.postMessage", kind="error", error="fatal_error", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            api.chat_postMessage(channel="incidents", text="a")
    assert api.auth_test()["ok"]
    assert api.chat_postMessage(channel="incidents", text="a")["ok"]
    assert len(slack.state()["messages"]["incidents"]) == 1


def test_a_server_error_is_no_json(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="chat.postMessage", kind="http_500")
    with pytest.raises(SlackApiError) as failed:
        api.chat_postMessage(channel="incidents", text="a")
    assert failed.value.response.status_code == 500
    assert slack.state()["messages"] == {}


def test_a_limit_can_be_met_at_will(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="*", kind="ratelimited", seconds=12)
    with pytest.raises(SlackApiError) as failed:
        api.users_list()
    assert failed.value.response.status_code == 429
    assert failed.value.response.headers["Retry-After"] == "12"


def test_a_lost_answer_is_of_a_call_that_took_effect(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="chat.postMessage", kind="lost")
    with pytest.raises((OSError, HTTPException)):
        api.chat_postMessage(channel="incidents", text="a")
    assert [message["text"] for message in slack.state()["messages"]["incidents"]] == ["a"]


def test_a_call_can_hang_and_have_no_effect(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="chat.postMessage", kind="hang", seconds=0.05)
    with pytest.raises((OSError, HTTPException)):
        api.chat_postMessage(channel="incidents", text="a")
    assert slack.state()["messages"] == {}


def test_a_call_that_hangs_is_let_go_when_the_faults_are_cleared(
    slack: BackgroundSlack, api: WebClient, eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    slack.control("faults", method="chat.postMessage", kind="hang", seconds=3600, times=1000)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(api.chat_postMessage, channel="incidents", text="a")
        eventually(lambda: slack.state()["calls"]["counts"].get("chat.postMessage"))
        slack.request("DELETE", "/_lab/faults")
        with pytest.raises((OSError, HTTPException)):
            call.result()
    assert api.chat_postMessage(channel="incidents", text="b")["ok"]
    assert [message["text"] for message in slack.state()["messages"]["incidents"]] == ["b"]


def test_a_fault_can_be_for_calls_that_contain_a_text(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="chat.postMessage", kind="error", containing="the second")
    assert api.chat_postMessage(channel="incidents", text="the first")["ok"]
    with pytest.raises(SlackApiError):
        api.chat_postMessage(channel="incidents", text="the second")


def test_the_stand_in_ends_while_a_call_hangs(
    tmp_path: Path, eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    with BackgroundSlack(tmp_path) as slack:
        slack.control("faults", method="auth.test", kind="hang", seconds=3600)

        def call() -> None:
            with pytest.raises((OSError, HTTPException)):
                slack.call("auth.test", b"", "application/x-www-form-urlencoded")

        hanging = threading.Thread(target=call)
        hanging.start()
        eventually(lambda: not slack.state()["faults"])
    hanging.join(20)
    assert not hanging.is_alive()


def test_an_upload_fails_and_loses_its_answer_on_demand(slack: BackgroundSlack, api: WebClient) -> None:
    place = api.files_getUploadURLExternal(filename="a", length=3)
    url = str(place["upload_url"])
    slack.control("faults", method="upload", kind="http_500")
    assert slack.request("POST", url, b"abc")[0] == 500
    slack.control("faults", method="upload", kind="lost")
    with pytest.raises((OSError, HTTPException)):
        slack.request("POST", url, b"abc")
    assert slack.workspace.files.files[place["file_id"]].received


def test_a_completed_upload_whose_answer_is_lost_can_be_asked_for(
    slack: BackgroundSlack, api: WebClient
) -> None:
    place = api.files_getUploadURLExternal(filename="a", length=3)
    slack.request("POST", str(place["upload_url"]), b"abc")
    slack.control("faults", method="files.completeUploadExternal", kind="lost")
    with pytest.raises((OSError, HTTPException)):
        api.files_completeUploadExternal(files=[{"id": place["file_id"]}], channel_id=slack.id("incidents"))
    assert api.files_info(file=place["file_id"])["file"]["id"] == place["file_id"]


def test_faults_can_be_forgotten(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("faults", method="*", kind="error", times=100)
    slack.request("DELETE", "/_lab/faults")
    assert api.auth_test()["ok"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "needs a method"),
        ({"method": "a", "kind": "explode"}, "one of error, http_500"),
        ({"method": "a", "kind": "error", "times": 0}, "at least one"),
        ({"method": "a", "kind": "error", "colour": "red"}, "no colour"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(body)
