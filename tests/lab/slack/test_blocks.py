"""Each of Block Kit's limits, at it and one beyond."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.slack.blockkit import blocks, views
from deploy.lab.slack.errors import SlackError

Json = dict[str, Any]


def _no_file(_key: str) -> bool:
    return False


def _plain(length: int = 4) -> Json:
    return {"type": "plain_text", "text": "t" * length}


def _mrkdwn(length: int = 4) -> Json:
    return {"type": "mrkdwn", "text": "t" * length}


def _section(**more: Any) -> Json:
    return {"type": "section", "text": _mrkdwn(), **more}


def _button(**more: Any) -> Json:
    return {"type": "button", "text": _plain(), "action_id": "stop", **more}


def _actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def _select(count: int) -> Json:
    options = [{"text": _plain(), "value": f"v{number}"} for number in range(count)]
    return {"type": "static_select", "action_id": "choose", "options": options}


def _image(**more: Any) -> Json:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a chart", **more}


def _table(rows: int = 2, columns: int = 2, length: int = 1) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "c" * length}] * columns] * rows}


def _rich_text(*leaves: Json) -> Json:
    section = {"type": "rich_text_section", "elements": list(leaves)}
    return {"type": "rich_text", "elements": [section]}


def _confirm(**more: Any) -> Json:
    return {"title": _plain(), "text": _mrkdwn(), "confirm": _plain(), "deny": _plain(), **more}


TAKEN = {
    "fifty blocks": [{"type": "divider"}] * 50,
    "no block": [],
    "a section of 3,000 characters": [{"type": "section", "text": _mrkdwn(3000)}],
    "ten fields": [{"type": "section", "fields": [_plain(100)] * 10}],
    "a field of 2,000 characters": [{"type": "section", "fields": [_mrkdwn(2000)]}],
    "a header of 150 characters": [{"type": "header", "text": _plain(150)}],
    "a button text of 75 characters": [_actions(_button(text=_plain(75)))],
    "a button value of 2,000 characters": [_actions(_button(value="v" * 2000))],
    "an action id of 255 characters": [_actions(_button(action_id="a" * 255))],
    "a confirmation": [_actions(_button(confirm=_confirm(style="danger")))],
    "25 elements": [_actions(*(_button(action_id=f"a{number}") for number in range(25)))],
    "an action id in two blocks": [_actions(_button()), _actions(_button())],
    "100 options": [_actions(_select(100))],
    "ten context elements": [{"type": "context", "elements": [_mrkdwn()] * 9 + [_image()]}],
    "an image": [_image(title=_plain())],
    "a table of 100 rows and 20 columns": [_table(100, 20)],
    "rich text": [_rich_text({"type": "text", "text": "a", "style": {"bold": True}})],
    "markdown of 12,000 characters": [{"type": "markdown", "text": "m" * 12_000}],
    "13,200 characters": [{"type": "section", "text": _mrkdwn(3000)}] * 4
    + [{"type": "section", "text": _mrkdwn(1200)}],
}

REFUSED = {
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "3,001 characters": (
        [{"type": "section", "text": _mrkdwn(3001)}],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "an empty text": (
        [{"type": "section", "text": _mrkdwn(0)}],
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "a section with nothing": (
        [{"type": "section"}],
        "missing required field: text [json-pointer:/blocks/0]",
    ),
    "eleven fields": (
        [{"type": "section", "fields": [_plain()] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "a field of 2,001 characters": (
        [{"type": "section", "fields": [_plain(2001)]}],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "a header of 151 characters": (
        [{"type": "header", "text": _plain(151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "a header in mrkdwn": (
        [{"type": "header", "text": _mrkdwn()}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "a button text of 76 characters": (
        [_actions(_button(text=_plain(76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "a button text in mrkdwn": (
        [_actions(_button(text=_mrkdwn()))],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    "a button value of 2,001 characters": (
        [_actions(_button(value="v" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "a button value that is no string": (
        [_actions(_button(value=7))],
        "must provide a string [json-pointer:/blocks/0/elements/0/value]",
    ),
    "an action id of 256 characters": (
        [_actions(_button(action_id="a" * 256))],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "an action id twice": (
        [_actions(_button(), _button())],
        "action_id already exists [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    "a block id twice": (
        [_section(block_id="b"), _section(block_id="b")],
        "block_id already exists [json-pointer:/blocks/1/block_id]",
    ),
    "a block id of 256 characters": (
        [_section(block_id="b" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "a style that is none": (
        [_actions(_button(style="warning"))],
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    "26 elements": (
        [_actions(*(_button(action_id=f"a{number}") for number in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "actions without elements": (
        [_actions()],
        "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "101 options": (
        [_actions(_select(101))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "a confirmation without its title": (
        [_actions(_button(confirm={"text": _mrkdwn(), "confirm": _plain(), "deny": _plain()}))],
        "missing required field: title [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    "a long confirmation": (
        [_actions(_button(confirm=_confirm(text=_plain(301))))],
        "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
    ),
    "eleven context elements": (
        [{"type": "context", "elements": [_mrkdwn()] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "a button in a context": (
        [{"type": "context", "elements": [_button()]}],
        "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
    ),
    "an image without alt_text": (
        [{"type": "image", "image_url": "https://example.com/a.png"}],
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    "an image that only this machine has": (
        [_image(image_url="http://127.0.0.1:8080/a.png")],
        "downloading image failed [json-pointer:/blocks/0/image_url]",
    ),
    "a file that is not there": (
        [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"}],
        "invalid slack file [json-pointer:/blocks/0/slack_file]",
    ),
    "101 rows": ([_table(101)], "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
    "21 columns": ([_table(1, 21)], "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
    "an empty cell": (
        [_table(1, 1, 0)],
        "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]",
    ),
    "a large table": (
        [_table(100, 20, 6)],
        "must be less than 10001 characters [json-pointer:/blocks/0/rows]",
    ),
    "two long markdown blocks": (
        [{"type": "markdown", "text": "m" * 6001}] * 2,
        "must be less than 12001 characters [json-pointer:/blocks]",
    ),
    "an unknown block": ([{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
    "a block without type": ([{}], "missing required field: type [json-pointer:/blocks/0]"),
    "a block that is a string": (["divider"], "must provide an object [json-pointer:/blocks/0]"),
    "an unknown property": (
        [_section(colour="red")],
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    "a text that is a string": (
        [{"type": "section", "text": "hello"}],
        "must provide an object [json-pointer:/blocks/0/text]",
    ),
    "an unknown leaf of rich text": (
        [_rich_text({"type": "blink"})],
        "unsupported type: blink [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    "an input outside an input block": (
        [_actions({"type": "plain_text_input", "action_id": "a"})],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
}


@pytest.mark.parametrize("value", TAKEN.values(), ids=TAKEN.keys())
def test_what_block_kit_allows_is_taken_and_gets_block_ids(value: list[Json]) -> None:
    done = blocks.check(value, _no_file)
    assert len({block["block_id"] for block in done}) == len(value)


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_block_kit_forbids_is_refused_with_the_place(value: list[Json], message: str) -> None:
    with pytest.raises(SlackError) as refused:
        blocks.check(value, _no_file)
    assert refused.value.code == "invalid_blocks"
    assert message in refused.value.extra["errors"]
    assert f"[ERROR] {message}" in refused.value.extra["response_metadata"]["messages"]


def test_blocks_together_hold_a_limited_number_of_characters() -> None:
    sections = [{"type": "section", "text": _mrkdwn(2999)}] * 5
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        blocks.check(sections, _no_file)


def test_a_message_has_one_table() -> None:
    with pytest.raises(SlackError, match="invalid_attachments"):
        blocks.check([_table(), _table()], _no_file)


def test_blocks_that_are_no_list_are_another_error() -> None:
    with pytest.raises(SlackError, match="invalid_blocks_format"):
        blocks.check({"type": "divider"}, _no_file)


def test_a_shared_image_file_can_be_shown() -> None:
    block = {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a chart"}
    assert blocks.check([block], lambda key: key == "F1")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "rows", "fields", "options", "accessory", "confirm"])
            | st.text(max_size=3),
            inner
            | st.sampled_from(
                ["section", "actions", "button", "context", "mrkdwn", "static_select", "table"]
            ),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_is_sent_is_taken_or_refused_with_slacks_error(value: Any) -> None:
    with contextlib.suppress(SlackError):
        blocks.check(value, _no_file)


@given(st.text(min_size=1, max_size=3000))
def test_any_text_of_allowed_length_can_be_said(text: str) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    assert blocks.check([section], _no_file) == [{"block_id": "b0000", **section}]


def test_a_modal_may_have_a_hundred_blocks_and_needs_a_submit_for_input() -> None:
    view: Json = {"type": "modal", "title": _plain(), "blocks": [{"type": "divider"}] * 100}
    assert len(views.check(view, _no_file)["blocks"]) == 100
    field = {"type": "input", "label": _plain(), "element": {"type": "plain_text_input"}}
    with pytest.raises(SlackError, match="invalid_arguments"):
        views.check({**view, "blocks": [field]}, _no_file)
    assert views.check({**view, "blocks": [field], "submit": _plain()}, _no_file)


def test_a_modals_title_has_at_most_24_characters() -> None:
    with pytest.raises(SlackError) as refused:
        views.check({"type": "modal", "title": _plain(25), "blocks": []}, _no_file)
    assert refused.value.code == "invalid_arguments"
