import re
import unicodedata

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.summary import spoken
from tests.workers.summary.speech import Dialogue
from tests.workers.summary.told import message_of, printed, summary_of, typed
from workers.page.page import page
from workers.picture.alt_text import LONGEST
from workers.picture.picture import chart_of, picture
from workers.summary.summary import Summary

HOSTILE = (
    "<!channel>",
    "<!here|x>",
    "<@U012345>",
    "<#C012345>",
    "<https://evil.example|click>",
    "https://evil.example",
    "*bold*_it_~no~",
    "```code```",
    "`end`",
    "&lt;!channel&gt;",
    "\x1b[2J\x1b]0;title\x07",
    "\x00\x08\x7f\x9b31m",
    "a\u202egnp.exe\u2066b\u200f",
    "\u200b\u2028\u2029\ufeff",
    "\U000e0041\ue000\ufff9",
    "\r\n> quote\n# head",
)
ELEMENTS = frozenset(
    """html head meta title style body header h1 h2 p main section ol li ul span code figure svg path text
    label input output div table caption thead tbody tr th td script""".split()  # noqa: SIM905, to be read
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_POWERS = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")


def inert_everywhere(text: str) -> None:
    summary = summary_of(spoken.names(text))
    message = message_of(summary)
    for each in (message.text, *(block["text"]["text"] for block in message.blocks if "text" in block)):
        assert not _POWERS.search(each)
        assert "://" not in each
        assert not unseen(each.replace("\n", "").replace("\u200b", ""))
        outside = _CODE.sub("", each)
        assert "`" not in outside
        assert "bold" not in outside
        assert "evil" not in outside
    assert not [line for line in typed(summary) if unseen(line)]
    assert printed(summary).isascii()
    assert printed(summary).isprintable()
    harmless_page(summary, text)


def harmless_page(summary: Summary, title: str) -> None:
    """It has its own elements only, and no text that is not seen."""
    root = html5lib.parse(page(summary, title), treebuilder="etree", namespaceHTMLElements=False)
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        assert name in ELEMENTS
        assert not [each for each in element.attrib if str(each).startswith("on")]
        if name not in ("script", "style"):
            said = "".join([element.text or "", *map(str, element.attrib.values())])
            assert not unseen(said.replace("\n", ""))


def unseen(text: str) -> bool:
    """Whether there are control characters in it, or such as hide text or turn it around."""
    return any(unicodedata.category(one)[0] == "C" for one in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_packets_say_is_inert_in_the_thread_and_at_a_terminal(text: str) -> None:
    assert len(summary_of(spoken.names(text)).exchanges) >= 3
    inert_everywhere(text)


@settings(max_examples=examples(10), deadline=None)
@given(text=st.text(st.sampled_from("".join(HOSTILE)), min_size=1, max_size=80))
def test_any_text_in_packets_is_inert(text: str) -> None:
    inert_everywhere(text)


LONG = b"x" * (1 << 20)
LINES = {
    80: b"GET /%b HTTP/1.1\r\nHost: %b\r\nX: %b\r\n\r\n" % (LONG, LONG[:9999], LONG[:9999]),
    8080: b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % LONG,
    6379: b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(LONG), LONG) + b"PING " + LONG + b"\r\n",
    5432: b"Q" + (5 + len(LONG)).to_bytes(4, "big") + LONG + b"\0",
    53: b"\xff\xff" + LONG[: 1 << 16],
    443: spoken.client_hello(LONG[:16_000]),
}


def test_lines_of_a_megabyte_are_cut() -> None:
    dialogue = Dialogue()
    for port, line in LINES.items():
        dialogue.connect(50_000 + port % 10_000, port).says(line).hears(b"HTTP/1.1 200 " + LONG[:9999])
    summary = summary_of(dialogue.file())
    assert summary.exchanges
    assert len(printed(summary)) < 50_000
    message = message_of(summary)
    assert len(message.text) < 12_000
    assert max(len(line) for line in typed(summary)) < 1000
    assert len(page(summary, "x" * 255)) < 60_000


@pytest.mark.parametrize("text", ["".join(HOSTILE), "\ud800", "", "W" * 300, "\u0e34" * 200])
def test_a_picture_of_a_hostile_name_is_painted_and_told_inert(text: str) -> None:
    painted = picture(chart_of(summary_of(spoken.names("x")), text))
    assert painted.png.startswith(b"\x89PNG")
    assert not unseen(painted.alt_text)
    assert len(painted.alt_text) <= LONGEST
