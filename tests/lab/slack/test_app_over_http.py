"""A real Bolt app on the other side, over HTTP."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from deploy.lab.slack.background import BackgroundSlack

Eventually = Callable[[Callable[[], Any]], Any]


def test_a_slash_command_arrives_as_slack_sends_it(over_http: BackgroundSlack, bolt: App) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.command("/podcap")
    def podcap(ack: Ack, body: dict[str, Any]) -> None:
        seen.append(body)
        ack("understood")

    answer = over_http.control("command", user="alice", channel="incidents", text="a/b tcp[13] & 4 != 0")
    assert (answer["ack_status"], answer["error"]) == (200, None)
    assert answer["shown"]["to"] == "user"
    assert answer["shown"]["text"] == "understood"
    assert list(seen[0]) == [
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    ]
    assert seen[0]["text"] == "a/b tcp[13] &amp; 4 != 0"
    assert (seen[0]["channel_name"], seen[0]["user_name"]) == ("incidents", "alice")
    assert "understood" in over_http.read("ephemeral", user="alice")


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("@podcap", "directmessage"),
        ("@bob", "directmessage"),
        ("war-room", "privategroup"),
        ("secret", "privategroup"),
    ],
)
def test_a_channel_that_is_not_public_has_no_name_in_a_command(
    over_http: BackgroundSlack, bolt: App, channel: str, name: str
) -> None:
    @bolt.command("/podcap")
    def podcap(ack: Ack, command: dict[str, Any]) -> None:
        ack(command["channel_name"])

    assert over_http.control("command", user="alice", channel=channel, text="x")["ack_body"] == name


def test_the_editor_changes_what_was_typed(over_http: BackgroundSlack, bolt: App) -> None:
    @bolt.command("/podcap")
    def podcap(ack: Ack, command: dict[str, Any]) -> None:
        ack(command["text"])

    answer = over_http.control("command", user="bob", channel="general", text='a "b" example.com', smart=True)
    assert answer["ack_body"] == "a “b” <http://example.com|example.com>"


@pytest.mark.parametrize("forgery", [{"wrong_signature": True}, {"age": 400}, {"age": -400}])
def test_a_forged_command_is_refused_by_the_app(
    over_http: BackgroundSlack, bolt: App, forgery: dict[str, Any]
) -> None:
    reached = []

    @bolt.command("/podcap")
    def podcap(ack: Ack) -> None:
        reached.append(True)
        ack()

    answer = over_http.control("command", user="alice", channel="incidents", text="x", **forgery)
    assert answer["ack_status"] == 401
    assert answer["shown"]["text"] == '/podcap failed with the error "dispatch_failed"'
    assert not reached


def test_a_command_can_be_delivered_twice_with_one_trigger(over_http: BackgroundSlack, bolt: App) -> None:
    triggers: list[str] = []

    @bolt.command("/podcap")
    def podcap(ack: Ack, command: dict[str, Any]) -> None:
        triggers.append(command["trigger_id"])
        ack()

    answer = over_http.control("command", user="alice", channel="incidents", text="x", times=2)
    assert len(answer["acks"]) == 2
    assert triggers[0] == triggers[1]
    assert answer["shown"] is None


def test_a_late_ack_shows_a_timeout(over_http: BackgroundSlack, bolt: App) -> None:
    over_http.workspace.ack_within = 0.1
    let_go = threading.Event()

    @bolt.command("/podcap")
    def podcap(ack: Ack) -> None:
        let_go.wait(10)
        ack()

    answer = over_http.control("command", user="alice", channel="incidents", text="x")
    let_go.set()
    assert answer["error"] == "operation_timeout"
    assert over_http.workspace.calls.violations == ["slash_commands: no ack came in time"]
    assert answer["shown"]["text"] == '/podcap failed with the error "operation_timeout"'


def test_an_app_that_is_not_there_shows_a_failed_dispatch(slack: BackgroundSlack) -> None:
    slack.control("request-url", url="http://127.0.0.1:9/slack/events")
    answer = slack.control("command", user="alice", channel="incidents", text="x")
    assert (answer["ack_status"], answer["error"]) == (None, "dispatch_failed")


def test_an_ack_can_be_for_everybody(over_http: BackgroundSlack, bolt: App) -> None:
    @bolt.command("/podcap")
    def podcap(ack: Ack) -> None:
        ack(response_type="in_channel", text="hear ye")

    answer = over_http.control("command", user="alice", channel="random", text="x")
    assert answer["shown"]["to"] == "channel"
    assert "hear ye" in over_http.read("thread", channel="random")


def test_an_ack_that_is_no_message_is_refused(over_http: BackgroundSlack, bolt: App) -> None:
    @bolt.command("/podcap")
    def podcap(ack: Ack) -> None:
        ack(text="a", blocks=[{"type": "banner"}])

    answer = over_http.control("command", user="alice", channel="incidents", text="x")
    assert "invalid_command_response" in answer["shown"]["text"]
    assert "invalid_blocks" in over_http.workspace.calls.violations[0]


def test_a_button_click_arrives_with_everything_around_it(
    over_http: BackgroundSlack, bolt: App, api: WebClient
) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.action("stop")
    def stop(ack: Ack, body: dict[str, Any]) -> None:
        seen.append(body)
        ack()

    button = {
        "type": "button",
        "action_id": "stop",
        "value": "cap-7f3k9q",
        "text": {"type": "plain_text", "text": "Stop"},
    }
    channel = over_http.id("incidents")
    posted = api.chat_postMessage(
        channel=channel, text="running", blocks=[{"type": "actions", "block_id": "b", "elements": [button]}]
    )
    answer = over_http.control("click", user="bob", channel="incidents", ts=posted["ts"], action_id="stop")
    assert (answer["ack_status"], answer["error"]) == (200, None)
    body = seen[0]
    assert body["user"]["id"] == over_http.id("bob")
    assert body["channel"] == {"id": channel, "name": "incidents"}
    assert body["container"]["message_ts"] == body["message"]["ts"] == posted["ts"]
    assert body["actions"][0]["value"] == "cap-7f3k9q"
    assert body["actions"][0]["block_id"] == "b"
    assert {"trigger_id", "response_url", "api_app_id", "token", "team", "state"} <= body.keys()


def test_what_is_not_there_cannot_be_clicked(over_http: BackgroundSlack) -> None:
    answer = over_http.control("click", user="bob", channel="incidents", action_id="stop")
    assert answer["http_status"] == 400
    assert answer["error"] == "nothing in incidents can be clicked as stop"


def test_an_ephemeral_message_can_be_clicked_by_its_reader(
    over_http: BackgroundSlack, bolt: App, api: WebClient, eventually: Eventually
) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.action("choose")
    def choose(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        seen.append(body)
        ack()
        respond("chosen", replace_original=True)

    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("a", "b")]
    menu = {"type": "static_select", "action_id": "choose", "options": options}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "which?"}, "accessory": menu}
    api.chat_postEphemeral(
        channel=over_http.id("incidents"), user=over_http.id("alice"), text="which?", blocks=[section]
    )
    refused = over_http.control("click", user="bob", channel="incidents", action_id="choose", option="b")
    assert refused["http_status"] == 400
    over_http.control("click", user="alice", channel="incidents", action_id="choose", option="b")
    assert seen[0]["container"]["is_ephemeral"] is True
    assert "message" not in seen[0]
    assert seen[0]["actions"][0]["selected_option"]["value"] == "b"
    eventually(lambda: "chosen" in over_http.read("ephemeral", user="alice"))
    assert "which?" not in over_http.read("ephemeral", user="alice")


def test_a_mention_arrives_as_an_event(over_http: BackgroundSlack, bolt: App, eventually: Eventually) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.event("app_mention")
    def mentioned(event: dict[str, Any]) -> None:
        seen.append(event)

    parent = over_http.control("say", user="bob", channel="incidents", text="hm")["ts"]
    said = over_http.control("mention", user="alice", channel="incidents", text="help", thread_ts=parent)
    eventually(lambda: seen)
    assert seen[0]["text"] == f"<@{over_http.id('podcap')}> help"
    assert (seen[0]["ts"], seen[0]["thread_ts"]) == (said["ts"], parent)


def test_a_mention_where_the_app_is_not_reaches_nobody(over_http: BackgroundSlack) -> None:
    assert "ack_status" not in over_http.control("mention", user="alice", channel="random", text="help")


def test_a_shortcut_opens_a_modal_and_its_submission_closes_it(over_http: BackgroundSlack, bolt: App) -> None:
    seen: list[dict[str, Any]] = []
    plain = {"type": "plain_text", "text": "Capture"}
    field = {
        "type": "input",
        "block_id": "b",
        "label": plain,
        "element": {"type": "plain_text_input", "action_id": "a"},
    }

    @bolt.shortcut("capture")
    def capture(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        view = {"type": "modal", "callback_id": "ask", "title": plain, "submit": plain, "blocks": [field]}
        client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    @bolt.view("ask")
    def asked(ack: Ack, view: dict[str, Any]) -> None:
        seen.append(view["state"]["values"])
        if len(seen) == 1:
            ack(response_action="errors", errors={"b": "no"})
        else:
            ack()

    ts = over_http.control("say", user="alice", channel="incidents", text="look")["ts"]
    over_http.control("shortcut", user="alice", channel="incidents", ts=ts, callback_id="capture")
    values = {"b": {"a": {"type": "plain_text_input", "value": "x"}}}
    assert over_http.control("submit", user="bob", values=values)["http_status"] == 400
    first = over_http.control("submit", user="alice", values=values)
    assert first["ack_body"]["response_action"] == "errors"
    assert over_http.control("submit", user="alice", values=values)["ack_body"] is None
    assert seen == [values, values]
    assert over_http.state()["views"] == {}


def test_nobody_acts_where_they_are_not(over_http: BackgroundSlack) -> None:
    def refused(user: str, channel: str) -> Any:
        answer = over_http.control("command", user=user, channel=channel, text="x")
        assert answer["http_status"] == 400
        return answer["error"]

    assert refused("mallory", "war-room") == "mallory is not in war-room"
    assert refused("eve", "incidents") == "there is nobody called eve"
    assert refused("bob", "nowhere") == "there is no channel nowhere"


def test_an_event_comes_again_with_its_number_and_reason(
    slack: BackgroundSlack, eventually: Eventually
) -> None:
    seen: list[tuple[str | None, str | None, str]] = []

    class App(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = self.headers.get("X-Slack-Retry-Num")
            seen.append((number, self.headers.get("X-Slack-Retry-Reason"), body["event_id"]))
            self.send_response(200 if number == "2" else 503)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    slack.workspace.retry_after = (0.0, 0.0, 0.0)
    with HTTPServer(("127.0.0.1", 0), App) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        slack.control("request-url", url=f"http://127.0.0.1:{server.server_port}/")
        slack.control("mention", user="alice", channel="incidents", text="help")
        eventually(lambda: len(seen) == 3)
        server.shutdown()
        thread.join()
    assert [(number, reason) for number, reason, _ in seen] == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_error"),
    ]
    assert len({event_id for _, _, event_id in seen}) == 1
