from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.slack.editor import sent
from deploy.lab.slack.mrkdwn import unescape


def test_the_editor_makes_curly_quotes_dashes_and_links() -> None:
    assert sent('x "port 80" --full a...b', with_editor=True) == "x “port 80” —full a…b"
    assert sent("see example.com", with_editor=True) == "see <http://example.com|example.com>"
    assert sent("see http://10.1.2.3/a", with_editor=True) == "see <http://10.1.2.3/a>"
    assert sent("ask a@example.com", with_editor=True) == "ask <mailto:a@example.com|a@example.com>"


def test_an_ampersand_is_escaped_once() -> None:
    assert sent("tcp[13] & 4 != 0 < >", with_editor=False) == "tcp[13] &amp; 4 != 0 &lt; &gt;"


@given(st.text())
def test_plain_typing_can_be_read_back_exactly(text: str) -> None:
    assert unescape(sent(text, with_editor=False)) == text


@given(st.text())
def test_no_bare_angle_bracket_is_left_in_plain_typing(text: str) -> None:
    assert not set("<>") & set(sent(text, with_editor=False))
