"""chat.*: what is posted, what is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.lab.slack.background import BackgroundSlack

BUTTON = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
BLOCKS = [{"type": "actions", "elements": [BUTTON]}]


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(SlackApiError) as refused:
        call()
    return str(refused.value.response["error"])


def test_a_message_is_posted_and_read_back(slack: BackgroundSlack, api: WebClient) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="hello", blocks=BLOCKS)
    assert posted["channel"] == slack.id("incidents")
    history = api.conversations_history(channel=slack.id("incidents"))["messages"]
    assert history == [posted["message"]]
    assert history[0]["bot_id"] == slack.workspace.world.bot_id
    assert history[0]["blocks"][0]["block_id"]


def test_a_channel_may_be_given_by_name_and_a_person_by_id(slack: BackgroundSlack, api: WebClient) -> None:
    assert api.chat_postMessage(channel="#incidents", text="hi")["channel"] == slack.id("incidents")
    assert api.chat_postMessage(channel=slack.id("bob"), text="hi")["channel"].startswith("D")


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("random", "not_in_channel"),
        ("secret", "channel_not_found"),
        ("C0NOWHERE00", "channel_not_found"),
        ("old-incident", "is_archived"),
    ],
)
def test_a_channel_that_takes_no_message_says_why(
    slack: BackgroundSlack, api: WebClient, channel: str, error: str
) -> None:
    found = slack.workspace.world.channel(channel)
    id_ = found.id if found else channel
    assert refusal(lambda: api.chat_postMessage(channel=id_, text="hi")) == error
    assert refusal(lambda: api.chat_postEphemeral(channel=id_, user=slack.id("alice"), text="hi")) == error


def test_a_direct_message_of_others_is_not_there(slack: BackgroundSlack, api: WebClient) -> None:
    world = slack.workspace.world
    alice, bob = world.user("alice"), world.user("bob")
    assert alice is not None
    assert bob is not None
    theirs = world.direct_message(alice, bob).id
    assert refusal(lambda: api.chat_postMessage(channel=theirs, text="hi")) == "channel_not_found"


@pytest.mark.parametrize("said", [{}, {"text": ""}, {"text": " \n"}, {"blocks": []}, {"attachments": []}])
def test_a_message_needs_something_to_say(slack: BackgroundSlack, said: dict[str, Any]) -> None:
    body = json.dumps({"channel": slack.id("incidents"), **said}).encode()
    assert slack.call("chat.postMessage", body, "application/json; charset=utf-8")["error"] == "no_text"


def test_a_message_has_at_most_40000_characters_and_an_update_4000(
    slack: BackgroundSlack, api: WebClient
) -> None:
    channel = slack.id("incidents")
    ts = api.chat_postMessage(channel=channel, text="t" * 40_000)["ts"]
    assert refusal(lambda: api.chat_postMessage(channel=channel, text="t" * 40_001)) == "msg_too_long"
    assert api.chat_update(channel=channel, ts=ts, text="t" * 4000)["ok"]
    assert refusal(lambda: api.chat_update(channel=channel, ts=ts, text="t" * 4001)) == "msg_too_long"


def test_a_message_whose_blocks_have_no_text_beside_them_is_noted(
    slack: BackgroundSlack, api: WebClient
) -> None:
    with pytest.warns(UserWarning, match="text"):
        api.chat_postMessage(channel="incidents", blocks=BLOCKS)
    assert "has no text" in slack.workspace.calls.violations[0]


def test_an_update_without_blocks_takes_them_away(slack: BackgroundSlack, api: WebClient) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="a", blocks=BLOCKS)
    api.chat_update(channel=posted["channel"], ts=posted["ts"], text="b")
    message = api.conversations_history(channel=posted["channel"])["messages"][0]
    assert message["text"] == "b"
    assert "blocks" not in message
    assert message["edited"]["user"] == slack.id("podcap")


def test_only_the_apps_own_messages_can_be_changed(slack: BackgroundSlack, api: WebClient) -> None:
    channel = slack.id("incidents")
    ts = slack.control("say", user="alice", channel="incidents", text="mine")["ts"]
    assert refusal(lambda: api.chat_update(channel=channel, ts=ts, text="x")) == "cant_update_message"
    assert refusal(lambda: api.chat_delete(channel=channel, ts=ts)) == "cant_delete_message"
    assert refusal(lambda: api.chat_update(channel=channel, ts="1.000001", text="x")) == "message_not_found"
    assert refusal(lambda: api.chat_update(channel="incidents", ts=ts, text="x")) == "channel_not_found"


def test_a_message_in_a_channel_archived_since_cannot_be_updated(
    slack: BackgroundSlack, api: WebClient
) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="a")
    slack.control("channel", channel="incidents", is_archived=True)
    update = api.chat_update
    assert refusal(lambda: update(channel=posted["channel"], ts=posted["ts"], text="b")) == "is_inactive"


def test_a_deleted_message_is_gone(slack: BackgroundSlack, api: WebClient) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="a")
    api.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert api.conversations_history(channel=posted["channel"])["messages"] == []


def test_replies_stand_in_their_thread(slack: BackgroundSlack, api: WebClient) -> None:
    channel = slack.id("incidents")
    parent = api.chat_postMessage(channel=channel, text="parent")["ts"]
    first = api.chat_postMessage(channel=channel, text="one", thread_ts=parent)["ts"]
    api.chat_postMessage(channel=channel, text="two", thread_ts=parent)
    replies = api.conversations_replies(channel=channel, ts=parent)["messages"]
    assert [reply["text"] for reply in replies] == ["parent", "one", "two"]
    assert replies[0]["reply_count"] == 2
    assert [found["ts"] for found in api.conversations_history(channel=channel)["messages"]] == [parent]
    api.chat_delete(channel=channel, ts=first)
    assert api.conversations_replies(channel=channel, ts=parent)["messages"][0]["reply_count"] == 1


def test_a_reply_needs_a_parent_that_is_one(slack: BackgroundSlack, api: WebClient) -> None:
    channel = slack.id("incidents")
    parent = api.chat_postMessage(channel=channel, text="parent")["ts"]
    reply = api.chat_postMessage(channel=channel, text="one", thread_ts=parent)["ts"]

    def post(ts: str) -> Callable[[], Any]:
        return lambda: api.chat_postMessage(channel=channel, text="two", thread_ts=ts)

    assert refusal(post("1.000001")) == "thread_not_found"
    assert refusal(post(reply)) == "cannot_reply_to_message"


def test_metadata_comes_back_when_it_is_asked_for(slack: BackgroundSlack, api: WebClient) -> None:
    metadata = {"event_type": "podcap_capture", "event_payload": {"capture": "cap-7f3k9q"}}
    channel = slack.id("incidents")
    posted = api.chat_postMessage(channel=channel, text="a", metadata=metadata)
    read = api.conversations_history
    assert "metadata" not in read(channel=channel)["messages"][0]
    assert read(channel=channel, include_all_metadata=True)["messages"][0]["metadata"] == metadata
    api.chat_update(channel=channel, ts=posted["ts"], text="b")
    assert read(channel=channel, include_all_metadata=True)["messages"][0]["metadata"] == metadata
    api.chat_update(channel=channel, ts=posted["ts"], text="b", metadata={})
    assert "metadata" not in read(channel=channel, include_all_metadata=True)["messages"][0]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "a"}, "invalid_metadata_format"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "a", "event_payload": {"b": "c" * 9000}}, "metadata_too_large"),
    ],
)
def test_metadata_of_another_form_is_refused(api: WebClient, metadata: dict[str, Any], error: str) -> None:
    assert refusal(lambda: api.chat_postMessage(channel="incidents", text="a", metadata=metadata)) == error


def test_another_name_needs_its_scope(api: WebClient) -> None:
    post = api.chat_postMessage
    assert refusal(lambda: post(channel="incidents", text="a", username="ceo")) == "missing_scope"


def test_an_ephemeral_message_reaches_members_only_and_no_api(slack: BackgroundSlack, api: WebClient) -> None:
    channel = slack.id("war-room")
    api.chat_postEphemeral(channel=channel, user=slack.id("alice"), text="psst")
    assert api.conversations_history(channel=channel)["messages"] == []
    assert "psst" in slack.read("ephemeral", user="alice")
    assert slack.read("ephemeral", user="bob") == ""
    post = api.chat_postEphemeral
    assert refusal(lambda: post(channel=channel, user=slack.id("mallory"), text="x")) == "user_not_in_channel"


def test_a_permalink_leads_to_the_message(slack: BackgroundSlack, api: WebClient) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="a")
    link = api.chat_getPermalink(channel=posted["channel"], message_ts=posted["ts"])["permalink"]
    assert link.endswith(f"/archives/{posted['channel']}/p{posted['ts'].replace('.', '')}")


def test_timestamps_are_never_given_twice(slack: BackgroundSlack, api: WebClient) -> None:
    slack.workspace.clock = lambda: 1_700_000_000.0
    all_ts = [api.chat_postMessage(channel="incidents", text="a")["ts"] for _ in range(3)]
    assert all_ts == ["1700000000.000000", "1700000000.000001", "1700000000.000002"]


def test_invalid_blocks_are_refused_with_the_place(api: WebClient) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "t" * 3001}}
    with pytest.raises(SlackApiError) as refused:
        api.chat_postMessage(channel="incidents", text="a", blocks=[section])
    assert refused.value.response["error"] == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_a_reaction_is_added_once(slack: BackgroundSlack, api: WebClient) -> None:
    posted = api.chat_postMessage(channel=slack.id("incidents"), text="a")

    def react(name: str = "eyes", ts: str = posted["ts"]) -> Any:
        return api.reactions_add(channel=posted["channel"], timestamp=ts, name=name)

    assert react()["ok"]
    assert refusal(react) == "already_reacted"
    assert refusal(lambda: react("No Emoji")) == "invalid_name"
    assert refusal(lambda: react(ts="1.000001")) == "message_not_found"
