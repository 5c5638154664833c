"""conversations.*, users.*, usergroups.*, team.*: the small world as the API shows it."""

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.lab.slack.background import BackgroundSlack


def test_each_channel_says_what_it_is(slack: BackgroundSlack, api: WebClient) -> None:
    def info(name: str) -> dict[str, object]:
        return dict(api.conversations_info(channel=slack.id(name))["channel"])

    assert info("incidents")["is_member"] is True
    assert info("random")["is_member"] is False
    assert info("war-room")["is_private"] is True
    assert info("old-incident")["is_archived"] is True
    assert info("shared-partner")["is_ext_shared"] is True
    with pytest.raises(SlackApiError, match="channel_not_found"):
        info("secret")


def test_a_direct_message_says_with_whom(slack: BackgroundSlack, api: WebClient) -> None:
    ims = api.conversations_list(types="im")["channels"]
    assert [im["user"] for im in ims] == [slack.id("alice")]
    assert api.conversations_info(channel=ims[0]["id"])["channel"]["is_im"] is True


def test_channels_are_listed_in_pages(api: WebClient) -> None:
    names = []
    for page in api.conversations_list(types="public_channel,private_channel", limit=2):
        assert len(page["channels"]) <= 2
        names += [channel["name"] for channel in page["channels"]]
    assert names == ["incidents", "general", "random", "war-room", "old-incident", "shared-partner"]


def test_a_page_may_be_empty_and_not_the_last(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("channel", channel="incidents", is_archived=True)
    page = api.conversations_list(limit=1, exclude_archived=True)
    assert page["channels"] == []
    assert page["response_metadata"]["next_cursor"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"cursor": "bogus"}, "invalid_cursor"),
        ({"limit": 5000}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"types": "channels"}, "invalid_types"),
    ],
)
def test_a_wrong_page_is_refused(api: WebClient, arguments: dict[str, str], error: str) -> None:
    with pytest.raises(SlackApiError, match=error):
        api.api_call("conversations.list", params=arguments)


def test_the_app_joins_public_channels_that_are_in_use(slack: BackgroundSlack, api: WebClient) -> None:
    assert api.conversations_join(channel=slack.id("random"))["channel"]["is_member"] is True
    assert api.conversations_join(channel=slack.id("random"))["warning"] == "already_in_channel"
    assert api.chat_postMessage(channel=slack.id("random"), text="hi")["ok"]
    with pytest.raises(SlackApiError, match="is_archived"):
        api.conversations_join(channel=slack.id("old-incident"))
    with pytest.raises(SlackApiError, match="method_not_supported_for_channel_type"):
        api.conversations_join(channel=slack.id("war-room"))


def test_members_are_listed(slack: BackgroundSlack, api: WebClient) -> None:
    members = api.conversations_members(channel=slack.id("war-room"))["members"]
    assert members == [slack.id("alice"), slack.id("bob"), slack.id("podcap")]


def test_history_of_a_channel_without_the_app_is_refused(slack: BackgroundSlack, api: WebClient) -> None:
    with pytest.raises(SlackApiError, match="not_in_channel"):
        api.conversations_history(channel=slack.id("random"))


def test_history_has_bounds(slack: BackgroundSlack, api: WebClient) -> None:
    all_ts = [api.chat_postMessage(channel="incidents", text=str(n))["ts"] for n in range(4)]

    def texts(**bounds: object) -> str:
        answer = api.conversations_history(channel=slack.id("incidents"), **bounds)  # type: ignore[arg-type]
        return "".join(message["text"] for message in answer["messages"])

    assert texts() == "3210"
    assert texts(oldest=all_ts[1]) == "32"
    assert texts(oldest=all_ts[1], inclusive=True) == "321"
    assert texts(latest=all_ts[1]) == "0"
    assert texts(limit=1) == "3"
    with pytest.raises(SlackApiError, match="invalid_ts_oldest"):
        texts(oldest="yesterday")


def test_a_thread_that_is_not_there_is_not_found(slack: BackgroundSlack, api: WebClient) -> None:
    with pytest.raises(SlackApiError, match="thread_not_found"):
        api.conversations_replies(channel=slack.id("incidents"), ts="1.000001")


def test_people_are_found_by_id_and_by_address(slack: BackgroundSlack, api: WebClient) -> None:
    alice = api.users_lookupByEmail(email="alice@example.com")["user"]
    assert alice["id"] == slack.id("alice")
    assert api.users_info(user=alice["id"])["user"]["profile"]["email"] == "alice@example.com"
    mallory = api.users_info(user=slack.id("mallory"))["user"]
    assert mallory["is_restricted"] is True
    assert [user["name"] for user in api.users_list()["members"]] == [
        "alice",
        "bob",
        "mallory",
        "podcap",
    ]
    with pytest.raises(SlackApiError, match="users_not_found"):
        api.users_lookupByEmail(email="eve@example.com")
    with pytest.raises(SlackApiError, match="user_not_found"):
        api.users_info(user="U0NOBODY00")


def test_addresses_need_their_scope(slack: BackgroundSlack, api: WebClient) -> None:
    slack.control("scopes", scopes=["users:read"])
    assert "email" not in api.users_info(user=slack.id("alice"))["user"]["profile"]
    with pytest.raises(SlackApiError, match="missing_scope"):
        api.users_lookupByEmail(email="alice@example.com")


def test_user_groups_and_their_members(slack: BackgroundSlack, api: WebClient) -> None:
    groups = {group["handle"]: group["id"] for group in api.usergroups_list()["usergroups"]}
    assert groups.keys() == {"oncall", "security"}
    members = api.usergroups_users_list(usergroup=groups["oncall"])["users"]
    assert members == [slack.id("alice"), slack.id("bob")]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        api.usergroups_users_list(usergroup="S0NONE0000")


def test_the_workspace_names_itself(slack: BackgroundSlack, api: WebClient) -> None:
    assert api.team_info()["team"]["domain"] == "example"
    assert api.auth_test()["bot_id"] == slack.workspace.world.bot_id


def test_the_state_shows_the_world(slack: BackgroundSlack) -> None:
    state = slack.state()
    assert state["users"]["alice"] == slack.id("alice")
    assert state["channels"]["shared-partner"]["is_ext_shared"] is True
