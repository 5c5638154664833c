"""What a person reads."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.slack.mrkdwn import Style, render
from deploy.lab.slack.transcript import Transcript
from deploy.lab.slack.workspace import Workspace
from deploy.lab.slack.world import Channel, small_world

WORLD = small_world()
PLAIN = Style()
AT = 1_700_000_000.0


def named(name: str) -> str:
    found = WORLD.channel(name) or WORLD.user(name)
    assert found is not None
    return found.id


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, "http://127.0.0.1:1", clock=lambda: AT)


@pytest.fixture
def incidents(workspace: Workspace) -> Channel:
    channel = workspace.world.channel("incidents")
    assert channel is not None
    return channel


def post(workspace: Workspace, channel: Channel, text: str, **more: Any) -> str:
    message = {**workspace.bot_author, "text": text, **more}
    return str(workspace.messages.post(channel.id, message)["ts"])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("*bold* and _slanted_ and ~gone~", "bold and slanted and gone"),
        ("2*3*4 and snake_case_name and a * b * c", "2*3*4 and snake_case_name and a * b * c"),
        ("`port 80`", "`port 80`"),
        ("`*not bold*`", "`*not bold*`"),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        (f"<@{named('alice')}> in <#{named('incidents')}>", "@alice in #incidents"),
        ("<!here> <!subteam^S0|oncall>", "@here @oncall"),
        ("<https://example.com/a|the docs>", "the docs (https://example.com/a)"),
        ("<https://example.com>", "https://example.com"),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("<!date^1700000000^{date_num} {time}|then>", "2023-11-14 22:13"),
        (":x: :white_check_mark: :made_up:", "❌ ✅ :made_up:"),
        ("```\na  *b*\n  <c>\n```", "a  *b*\n  <c>"),
        ("before ```a &lt; b``` after", "before a < b after"),
    ],
)
def test_mrkdwn_reads_as_it_looks(text: str, read: str) -> None:
    assert render(text, WORLD, PLAIN) == read


def test_a_terminal_with_colours_shows_emphasis() -> None:
    colour = Style(colour=True)
    assert render("*a* `b`", WORLD, colour) == "\x1b[1ma\x1b[0m \x1b[36mb\x1b[0m"


@given(st.text())
def test_any_text_can_be_rendered(text: str) -> None:
    render(text, WORLD, PLAIN)
    render(text, WORLD, Style(colour=True))


@given(st.text(alphabet=st.characters(exclude_characters="*_~`:<>&\0")))
def test_text_without_marks_stays_as_it_is(text: str) -> None:
    assert render(text, WORLD, PLAIN) == text


def test_a_thread_reads_well(workspace: Workspace, incidents: Channel) -> None:
    blocks = workspace.check_blocks(
        [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Capture* `cap-7f3k9q`\n30 seconds"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "found by namespace id\nand peer"}]},
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Stop"}},
                    {"type": "button", "action_id": "b", "text": {"type": "plain_text", "text": "Run again"}},
                ],
            },
        ]
    )
    edited = {"user": "U", "ts": "1"}
    ts = post(workspace, incidents, "fallback", blocks=blocks, edited=edited)
    table = {
        "type": "table",
        "rows": [
            [{"type": "raw_text", "text": "client"}, {"type": "raw_text", "text": "packets"}],
            [{"type": "raw_text", "text": "192.168.1.35"}, {"type": "raw_text", "text": "12"}],
        ],
        "column_settings": [{}, {"align": "right"}],
    }
    post(workspace, incidents, "flows", thread_ts=ts, blocks=workspace.check_blocks([table]))
    file = {"name": "a.pcapng", "title": "a.pcapng", "size": 12_345, "mimetype": "application/octet-stream"}
    post(workspace, incidents, "", thread_ts=ts, files=[file])
    alice = workspace.world.user("alice")
    assert alice is not None
    workspace.messages.post_ephemeral(incidents.id, alice.id, {"text": "psst"}, workspace.world.bot.id, ts)
    assert Transcript(workspace).thread(incidents) == (
        "#incidents\n"
        "\n"
        "podcap  APP  22:13:20  (edited)\n"
        "  Capture `cap-7f3k9q`\n"
        "  30 seconds\n"
        "  │ found by namespace id\n"
        "  │ and peer\n"
        "  [ Stop ] [ Run again ]\n"
        "\n"
        "    podcap  APP  22:13:20\n"
        "      client        packets\n"
        "      192.168.1.35       12\n"
        "\n"
        "    podcap  APP  22:13:20\n"
        "      📎 file a.pcapng  12.3 kB\n"
        "\n"
        "    podcap  APP  22:13:20  (only visible to alice)\n"
        "      psst\n"
    )


def test_a_reader_sees_only_their_own_ephemeral_messages(workspace: Workspace, incidents: Channel) -> None:
    ts = post(workspace, incidents, "all")
    for name in ("alice", "bob"):
        user = workspace.world.user(name)
        assert user is not None
        message = {"text": f"for {name}"}
        workspace.messages.post_ephemeral(incidents.id, user.id, message, workspace.world.bot.id, ts)
    read = Transcript(workspace, reader=workspace.world.user("bob")).thread(incidents, ts)
    assert "(only visible to you)\n      for bob" in read
    assert "for alice" not in read


def test_the_latest_thread_is_the_apps_last_message(workspace: Workspace, incidents: Channel) -> None:
    post(workspace, incidents, "one")
    post(workspace, incidents, "two")
    workspace.messages.post(incidents.id, {"user": named("alice"), "text": "thanks"})
    read = Transcript(workspace).thread(incidents)
    assert "two" in read
    assert "one" not in read
    assert "thanks" not in read


def test_a_persons_thread_with_a_reply_of_the_app_counts(workspace: Workspace, incidents: Channel) -> None:
    post(workspace, incidents, "one")
    asked = {"user": named("alice"), "text": "can you?"}
    ts = workspace.messages.post(incidents.id, asked)["ts"]
    post(workspace, incidents, "I can", thread_ts=ts)
    assert "can you?" in Transcript(workspace).thread(incidents)


def test_an_empty_channel_has_no_thread(workspace: Workspace, incidents: Channel) -> None:
    assert Transcript(workspace).thread(incidents) == ""


def test_a_channel_shows_each_thread_below_its_message(workspace: Workspace, incidents: Channel) -> None:
    first = post(workspace, incidents, "one")
    post(workspace, incidents, "two")
    post(workspace, incidents, "reply", thread_ts=first)
    lines = Transcript(workspace).channel(incidents).splitlines()
    texts = [line for line in lines if line.strip() in {"one", "two", "reply"}]
    assert texts == ["  one", "      reply", "  two"]


def test_every_kind_of_block_can_be_read(workspace: Workspace, incidents: Channel) -> None:
    plain = {"type": "plain_text", "text": "Plain :x:"}
    option = {"text": {"type": "plain_text", "text": "One"}, "value": "1"}
    leaves: list[dict[str, Any]] = [
        {"type": "text", "text": "rich", "style": {"bold": True}},
        {"type": "text", "text": "code", "style": {"code": True}},
        {"type": "link", "url": "https://example.com", "text": "link"},
        {"type": "user", "user_id": named("bob")},
        {"type": "emoji", "name": "warning"},
        {"type": "broadcast", "range": "here"},
    ]
    items = [{"type": "rich_text_section", "elements": leaves}]
    blocks = [
        {"type": "header", "text": plain},
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a chart", "title": plain},
        {"type": "markdown", "text": "# markdown"},
        {"type": "section", "fields": [plain, {"type": "mrkdwn", "text": "*field*"}]},
        {
            "type": "section",
            "text": plain,
            "accessory": {"type": "static_select", "placeholder": plain, "options": [option]},
        },
        {"type": "actions", "elements": [{"type": "radio_buttons", "options": [option]}]},
        {"type": "input", "label": plain, "element": {"type": "plain_text_input"}},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_list", "style": "ordered", "elements": items}],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": leaves[:1]}]},
        {"type": "table", "rows": [[{"type": "rich_text", "elements": items}]]},
    ]
    post(workspace, incidents, "fallback", blocks=workspace.check_blocks(blocks))
    read = Transcript(workspace).thread(incidents)
    for piece in (
        "Plain ❌",
        "[image] Plain ❌: a chart",
        "# markdown",
        "field",
        "( ) One",
        "▾ ]",
        "1. rich`code`link (https://example.com)@bob⚠@here",
        "> rich",
    ):
        assert piece in read
    assert "fallback" not in read


def test_a_deleted_file_is_told(workspace: Workspace, incidents: Channel) -> None:
    post(workspace, incidents, "", files=[{"id": "F1", "mode": "tombstone"}])
    assert "This file was deleted." in Transcript(workspace).thread(incidents)
