"""A summary as a page, read as a browser reads it."""

import re
from base64 import b64encode
from hashlib import sha256
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.page.hostile import HOSTILE, summary
from workers.page.page import MOST_FLOWS, page
from workers.page.text import prose, shown
from workers.summary.summary import Summary, Totals


def parsed(html: str) -> Element:
    return html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)


def skeleton(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Every element in order, with the names of its attributes."""
    return [(str(one.tag), tuple(sorted(map(str, one.attrib)))) for one in root.iter()]


def named(root: Element, name: str) -> list[Element]:
    """Elements by their name, SVG's, too."""
    return [one for one in root.iter() if str(one.tag).rpartition("}")[2] == name]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_elsewhere_makes_no_element_and_no_attribute(text: str) -> None:
    root = parsed(page(summary(text), text))
    assert skeleton(root) == skeleton(parsed(page(summary("x"), "x")))
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", "".join(root.itertext()))


@settings(max_examples=examples(25))
@given(st.text())
def test_escaped_text_is_read_as_text_alone(text: str) -> None:
    (read,) = named(parsed(f'<p title="{shown(text)}">{shown(text)}</p>'), "p")
    assert len(read) == 0
    assert read.get("title") == (read.text or "")


def test_what_was_written_for_slack_reads_as_it_was_meant() -> None:
    assert prose("`GET a&lt;b:\u200b//c` is &amp; was") == "<code>GET a&lt;b://c</code> is &amp; was"
    assert prose("one ` alone") == "one ` alone"


def test_nothing_but_its_own_style_and_script_may_load_or_run() -> None:
    root = parsed(page(summary("x"), "x"))
    policy = next(one.get("content") for one in named(root, "meta") if one.get("http-equiv"))
    for name in ("style", "script"):
        (element,) = named(root, name)
        digest = b64encode(sha256((element.text or "").encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in str(policy)
    assert "default-src 'none'" in str(policy)
    assert not [one for one in root.iter() if {"src", "href", "style"} & set(one.attrib)]
    assert not [name for one in root.iter() for name in one.attrib if str(name).startswith("on")]


def test_a_table_tells_its_columns_its_order_and_its_numbers() -> None:
    flows = named(parsed(page(summary("x"), "x")), "table")[0]
    heads = named(flows, "th")
    assert [head.text for head in heads][:5] == ["Protocol", "Client", "Server", "Remarks", "Packets"]
    assert {head.get("scope") for head in heads} == {"col"}
    assert [head.text for head in heads if head.get("aria-sort") == "descending"] == ["Bytes"]
    cells = named(flows, "td")
    assert [cell.text for cell in cells] == [
        "TCP", "10.0.0.1:40000", "x:80 (10.0.0.2:80)", "1 reset, in x 7", "5", "500 bytes", "300 bytes",
        "200 bytes", "0.500 s", "1.5 s", "10 ms",
    ]  # fmt: skip
    assert cells[5].get("data-n") == "500"
    assert len(named(flows, "caption")) == 1


def test_it_says_in_words_what_its_picture_shows() -> None:
    (picture,) = named(parsed(page(summary("x"), "x")), "svg")
    assert "2 resets" in str(picture.get("aria-label"))


def test_of_very_many_flows_the_busiest_are_shown_and_the_others_counted() -> None:
    html = page(summary("x", flows=MOST_FLOWS + 1000), "x")
    assert html.count("<tr><td>TCP</td>") == MOST_FLOWS
    assert "The 2,000 busiest of 3,000 flows" in html
    assert len(html) < 2_000_000


def test_a_file_without_packets_is_a_page_too() -> None:
    root = parsed(page(Summary(Totals(), (), payload=True), "empty.pcap"))
    text = "".join(root.itertext())
    assert "No packet passed." in text
    assert "There is no packet in the file." in text


def test_where_there_are_no_flows_a_sentence_stands_in_the_place_of_their_table() -> None:
    root = parsed(page(Summary(Totals(3, 126, 0, 2 * 10**9, arp=3), (), payload=True), "arp.pcap"))
    assert "There is no TCP or UDP flow in 3 packets (126 bytes in 2.0 s): 3 ARP." in "".join(root.itertext())
    assert named(root, "table") == named(root, "input") == []
