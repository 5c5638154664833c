# ruff: noqa: RUF001, look-alikes of plain signs are what Slack's editor sends
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.request.slack_text import plain

# What Slack or an editor may send, and what the person typed.
ARRIVED = {
    "ns/x tcp[13] &amp; 4 != 0": "ns/x tcp[13] & 4 != 0",
    "len &lt; 100 &amp;&amp; len &gt; 50": "len < 100 && len > 50",
    "&amp;lt;": "&lt;",
    "ns/x “port 80”": 'ns/x "port 80"',
    "ns/x ‘port 80’": "ns/x 'port 80'",
    "ns/x „port 80“ «a»": 'ns/x "port 80" "a"',
    "portrange 80–90": "portrange 80-90",
    "ns/x –5s": "ns/x -5s",
    "a−b‑c": "a-b-c",
    "ns/blue—green": "ns/blue--green",
    "wait…": "wait...",
    "ns/x\u00a0port\u202f80\u3000and": "ns/x port 80 and",
    "ns/\u200bx\ufeff \u2066port\u2069 8\u00ad0": "ns/x port 80",
    "host <http://10.1.2.3>": "host 10.1.2.3",
    "host <http://10.1.2.3/>": "host 10.1.2.3",
    "host <http://10.1.2.3|10.1.2.3>": "host 10.1.2.3",
    "ns/<http://web.io|web.io> <https://a.b/c?d=1&amp;e|a.b>": "ns/web.io a.b",
    "<mailto:a@b.io|a@b.io> <mailto:a@b.io>": "a@b.io a@b.io",
    "<tel:+4912345|12345>": "12345",
    "<#C123ABC|ops> <#C123ABC>": "#ops #C123ABC",
    "<@U123ABC|bob> <@U123ABC>": "@bob @U123ABC",
    "<!here> <!subteam^S1|@oncall>": "@here @oncall",
    "`ns/x 30s port 80`": "ns/x 30s port 80",
    "ns/x `port 80` and ```tcp```": "ns/x port 80 and tcp",
    "`a": "`a",
    "len < 100 and len > 50": "len < 100 and len > 50",
}


@pytest.mark.parametrize(("arrived", "typed"), ARRIVED.items())
def test_what_slack_sends_becomes_what_was_typed(arrived: str, typed: str) -> None:
    assert plain(arrived) == typed


@given(st.text(st.characters(codec="ascii", exclude_characters="&<`", exclude_categories=["Cc"])))
def test_plain_text_comes_back_unchanged(text: str) -> None:
    assert plain(text) == text


@given(st.text())
def test_text_that_slack_escaped_comes_back_as_it_was(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    unescaped = text.replace("`", "")
    if unescaped == text and text.isascii():
        assert plain(escaped) == text


@given(st.text())
def test_any_text_is_understood_somehow(text: str) -> None:
    assert isinstance(plain(text), str)


def test_ten_thousand_opening_brackets_are_read_at_once() -> None:
    assert plain("<" * 10_000 + "`" * 10_000)
