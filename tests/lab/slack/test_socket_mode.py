"""A real Bolt app on the other side, over Socket Mode; and the protocol by hand."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from deploy.lab.slack.background import BackgroundSlack
from tests.hangs import HANGS

Eventually = Callable[[Callable[[], Any]], Any]


def _open(slack: BackgroundSlack) -> str:
    token = f"Bearer {slack.workspace.credentials.app_token}"
    return str(slack.call("apps.connections.open", b"", "application/x-www-form-urlencoded", token)["url"])


@pytest.fixture
def by_hand(slack: BackgroundSlack) -> Iterator[websocket.WebSocket]:
    """A connection that has said hello."""
    socket = websocket.create_connection(_open(slack), timeout=HANGS)
    assert json.loads(socket.recv())["type"] == "hello"
    yield socket
    socket.close()


@pytest.fixture
def over_socket(slack: BackgroundSlack, bolt: App, eventually: Eventually) -> Iterator[BackgroundSlack]:
    """The stand-in, with the Bolt app connected."""
    handler = SocketModeHandler(bolt, slack.workspace.credentials.app_token, web_client=bolt.client)
    handler.connect()
    eventually(lambda: slack.state()["sockets"])
    yield slack
    handler.close()


def in_background(act: Callable[[], dict[str, Any]]) -> tuple[threading.Thread, list[dict[str, Any]]]:
    answers: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(act()))
    thread.start()
    return thread, answers


def test_a_bolt_app_answers_a_command(over_socket: BackgroundSlack, bolt: App) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.command("/podcap")
    def podcap(ack: Ack, body: dict[str, Any]) -> None:
        seen.append(body)
        ack(text="understood")

    answer = over_socket.control("command", user="alice", channel="incidents", text="a > b")
    assert (answer["ack_status"], answer["error"]) == (200, None)
    assert answer["shown"]["text"] == "understood"
    assert seen[0]["text"] == "a &gt; b"


def test_a_bolt_app_answers_clicks_and_mentions(
    over_socket: BackgroundSlack, bolt: App, eventually: Eventually
) -> None:
    seen: list[str] = []

    @bolt.action("stop")
    def stop(ack: Ack, body: dict[str, Any]) -> None:
        seen.append(body["actions"][0]["value"])
        ack()

    @bolt.event("app_mention")
    def mentioned(event: dict[str, Any]) -> None:
        seen.append(event["text"])

    button = {
        "type": "button",
        "action_id": "stop",
        "value": "v",
        "text": {"type": "plain_text", "text": "S"},
    }
    bolt.client.chat_postMessage(
        channel="incidents", text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    assert over_socket.control("click", user="bob", channel="incidents", action_id="stop")["error"] is None
    over_socket.control("mention", user="alice", channel="incidents", text="hi")
    eventually(lambda: len(seen) == 2)
    assert seen == ["v", f"<@{over_socket.id('podcap')}> hi"]
    assert over_socket.workspace.calls.violations == []


def test_a_bolt_app_comes_back_after_a_disconnect(
    over_socket: BackgroundSlack, bolt: App, eventually: Eventually
) -> None:
    @bolt.command("/podcap")
    def podcap(ack: Ack) -> None:
        ack("back")

    opened = over_socket.state()["calls"]["counts"]["apps.connections.open"]
    over_socket.control("disconnect", reason="refresh_requested")
    eventually(lambda: over_socket.state()["calls"]["counts"]["apps.connections.open"] > opened)
    eventually(lambda: over_socket.state()["sockets"])
    answer = over_socket.control("command", user="alice", channel="incidents", text="x")
    assert answer["shown"]["text"] == "back"


def test_a_ticket_is_good_once(slack: BackgroundSlack, by_hand: websocket.WebSocket) -> None:
    assert by_hand.connected
    url = _open(slack)
    websocket.create_connection(url, timeout=HANGS).close()
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url, timeout=HANGS)


def test_a_ticket_expires(slack: BackgroundSlack) -> None:
    url = _open(slack)
    begun = slack.workspace.clock()
    slack.workspace.clock = lambda: begun + 60
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url, timeout=HANGS)


def test_an_envelope_that_is_not_acknowledged_times_out(
    slack: BackgroundSlack, by_hand: websocket.WebSocket
) -> None:
    slack.workspace.ack_within = 0.1
    answer = slack.control("command", user="alice", channel="incidents", text="x")
    assert answer["error"] == "operation_timeout"
    envelope = json.loads(by_hand.recv())
    assert envelope["type"] == "slash_commands"
    assert envelope["accepts_response_payload"] is True
    assert envelope["payload"]["command"] == "/podcap"


def test_a_late_ack_is_noted(
    slack: BackgroundSlack, by_hand: websocket.WebSocket, eventually: Eventually
) -> None:
    slack.workspace.ack_within = 0.05
    slack.control("command", user="alice", channel="incidents", text="x")
    by_hand.send(json.dumps({"envelope_id": json.loads(by_hand.recv())["envelope_id"]}))
    late = "socket mode: a second or late ack for slash_commands"
    eventually(lambda: slack.workspace.calls.violations[1:])
    assert slack.workspace.calls.violations == ["slash_commands: no ack came in time", late]


@pytest.mark.parametrize(
    ("sent", "violation"),
    [
        ("hello", "socket mode: something came that is not an ack"),
        ('{"envelope_id": "none"}', "socket mode: an ack for an unknown envelope"),
    ],
)
def test_anything_but_an_ack_is_noted(
    slack: BackgroundSlack,
    by_hand: websocket.WebSocket,
    eventually: Eventually,
    sent: str,
    violation: str,
) -> None:
    by_hand.send(sent)
    eventually(lambda: slack.workspace.calls.violations)
    assert slack.workspace.calls.violations == [violation]


def test_an_event_is_sent_again_with_its_attempt(
    slack: BackgroundSlack, by_hand: websocket.WebSocket
) -> None:
    slack.workspace.ack_within = 0.1
    slack.workspace.retry_after = (0.0,)
    slack.control("mention", user="alice", channel="incidents", text="hi")
    first, second = json.loads(by_hand.recv()), json.loads(by_hand.recv())
    assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
    assert second["retry_reason"] == "http_timeout"
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["envelope_id"] != second["envelope_id"]
    assert first["accepts_response_payload"] is False


def test_a_disconnect_says_why(slack: BackgroundSlack, by_hand: websocket.WebSocket) -> None:
    assert slack.control("disconnect", reason="warning")["connected"] == 1
    assert json.loads(by_hand.recv())["reason"] == "warning"
    assert slack.control("disconnect", reason="refresh_requested")["connected"] == 0
    assert json.loads(by_hand.recv())["reason"] == "refresh_requested"


def test_a_connection_can_break_without_a_word(slack: BackgroundSlack, by_hand: websocket.WebSocket) -> None:
    assert slack.control("disconnect")["connected"] == 0
    with pytest.raises((websocket.WebSocketException, OSError)):
        by_hand.recv()


def test_envelopes_take_turns_between_connections(
    slack: BackgroundSlack, by_hand: websocket.WebSocket
) -> None:
    other = websocket.create_connection(_open(slack), timeout=HANGS)
    assert json.loads(other.recv())["num_connections"] == 2
    texts = []
    for number, socket in enumerate([by_hand, other]):
        body = {"user": "alice", "channel": "incidents", "text": str(number)}
        thread, answers = in_background(lambda body=body: slack.control("command", **body))  # type: ignore[misc]
        envelope = json.loads(socket.recv())
        texts.append(envelope["payload"]["text"])
        socket.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "ok"}}))
        thread.join(20)
        assert answers[0]["shown"]["text"] == "ok"
    other.close()
    assert texts == ["0", "1"]


def test_a_forged_signature_has_no_meaning_on_a_socket(
    slack: BackgroundSlack, by_hand: websocket.WebSocket
) -> None:
    assert by_hand.connected
    answer = slack.control("command", user="alice", channel="incidents", text="x", wrong_signature=True)
    assert answer["http_status"] == 400
