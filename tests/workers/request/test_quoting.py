import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.request.quoting import inert, verbatim


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U1> & co", "&lt;@U1&gt; &amp; co"),
        ("a```b`c", "a'''b'c"),
        ("http://evil.io", "http:\u200b//evil.io"),
        ("one\ntwo\r\n\tthree", "one two three"),
        ("a\x00b\u202ec\u200bd", "a�b�c�d"),
        ("x" * 100, "x" * 79 + "…"),
        ("<" * 100, "&lt;" * 79 + "…"),
    ],
)
def test_hostile_text_has_no_power(hostile: str, harmless: str) -> None:
    assert inert(hostile) == harmless


@given(st.text(), st.integers(2, 100))
def test_inert_text_is_one_short_line_without_markup(text: str, limit: int) -> None:
    shown = inert(text, limit)
    assert not set("<>`\n\r") & set(shown)
    assert "://" not in shown
    seen = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\u200b", "")
    assert len(seen) <= limit
    assert not any(unicodedata.category(character) == "Cc" for character in shown)


@given(st.text())
def test_verbatim_text_keeps_its_width(text: str) -> None:
    shown = verbatim(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert len(shown) == len(text)
    assert "`" not in shown
