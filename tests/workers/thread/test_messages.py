from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.capture import Capture
from workers.ledger.states import ACTIVE, FINAL, State
from workers.spool.progress import Progress
from workers.summary.decoded import Decoded
from workers.summary.finding import Finding
from workers.summary.summary import Summary, Totals
from workers.thread.findings import finding_texts
from workers.thread.messages import EXTEND, STOP, capture_message, summary_message, thread_message

REQUESTED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

CAPTURE = Capture(
    **dict.fromkeys(Capture.__dataclass_fields__)
    | {
        "id": "cap-7f3k9q",
        "state": State.QUEUED,
        "namespace": "traefik",
        "pod": "cheddar-845749dbd6-zcdjm",
        "seconds": 30,
        "filter": "port 80",
        "full": False,
        "channel_id": "C1",
        "user_id": "U1",
        "requested_at": REQUESTED,
        "expires_at": REQUESTED + timedelta(minutes=30),
    }
)  # type: ignore[arg-type]

DONE = replace(
    CAPTURE,
    state=State.DELIVERED,
    packets=1204,
    bytes=812_345,
    dropped=0,
    node="k8s-node02",
    interface="veth09b7438a",
    ended_by="duration",
)


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [
        part["text"]
        for block in blocks
        for part in ([block["text"]] if "text" in block else block["elements"])
        if part["type"] == "mrkdwn"
    ]


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        element for block in blocks for element in block.get("elements", []) if element["type"] == "button"
    ]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_message_that_says_the_same_in_text_and_blocks(state: State) -> None:
    message = capture_message(replace(CAPTURE, state=state, sentence="Because.", tap="veth1 on n1"))
    assert message.text == "\n".join(texts(message.blocks))


@pytest.mark.parametrize("state", list(State))
def test_stop_is_offered_exactly_while_it_still_changes_something(state: State) -> None:
    offered = buttons(capture_message(replace(CAPTURE, state=state, sentence="Because.")).blocks)
    stops = [(button["action_id"], button["value"]) for button in offered if button["action_id"] == STOP]
    if state in {
        State.REQUESTED,
        State.AWAITING_APPROVAL,
        State.AWAITING_CONFIRMATION,
        State.QUEUED,
        State.TAPPING,
        State.CAPTURING,
    }:
        assert stops == [(STOP, "cap-7f3k9q")]
    else:
        assert offered == []


@pytest.mark.parametrize("state", list(State))
def test_more_time_is_offered_exactly_while_packets_are_captured(state: State) -> None:
    offered = buttons(capture_message(replace(CAPTURE, state=state, sentence="Because.")).blocks)
    longer = [button["value"] for button in offered if button["action_id"] == EXTEND]
    assert longer == (["cap-7f3k9q"] if state is State.CAPTURING else [])


def test_more_time_is_not_offered_beyond_ten_minutes() -> None:
    for seconds, offered in ((570, [STOP, EXTEND]), (571, [STOP])):
        message = capture_message(replace(CAPTURE, state=State.CAPTURING, seconds=seconds))
        assert [button["action_id"] for button in buttons(message.blocks)] == offered


def test_stop_is_not_offered_twice() -> None:
    stopping = replace(CAPTURE, state=State.CAPTURING, stop_requested_by="U2")
    message = capture_message(stopping)
    assert buttons(message.blocks) == []
    assert "Stopping, asked by <@U2>" in message.text


def test_the_message_says_who_asked_for_what() -> None:
    text = capture_message(CAPTURE).text
    for part in (
        "traefik/cheddar-845749dbd6-zcdjm",
        "30s",
        "`port 80`",
        "headers only",
        "<@U1>",
        "cap-7f3k9q",
    ):
        assert part in text
    assert "whole packets" in capture_message(replace(CAPTURE, full=True)).text
    assert "every packet" in capture_message(replace(CAPTURE, filter="")).text


def test_progress_shows_time_packets_and_bytes() -> None:
    running = replace(CAPTURE, state=State.CAPTURING)
    text = capture_message(running, Progress(packets=1204, bytes=812_345, seconds=12.4)).text
    assert "12 of 30s · 1,204 packets · 812 kB" in text
    assert "12 of 30s · 812 kB" in capture_message(running, Progress(None, 812_345, 12.4)).text


def test_the_end_shows_packets_bytes_drops_interface_and_node() -> None:
    text = capture_message(DONE).text
    for part in ("*1,204 packets*", "812 kB", "0 dropped by the kernel", "`veth09b7438a`", "`k8s-node02`"):
        assert part in text


@pytest.mark.parametrize(
    ("ended_by", "words"), [("bytes", "limit of bytes"), ("packets", "limit of packets")]
)
def test_an_end_by_a_limit_is_named(ended_by: str, words: str) -> None:
    assert words in capture_message(replace(DONE, ended_by=ended_by)).text


def test_a_stopped_capture_names_who_stopped_it_and_what_it_has() -> None:
    stopped = replace(DONE, state=State.STOPPED, ended_by="stopped", stop_requested_by="U2")
    assert "Stopped by <@U2>: *1,204 packets*" in capture_message(stopped).text
    early = replace(CAPTURE, state=State.STOPPED, stop_requested_by="U2")
    assert "Stopped by <@U2> before it began." in capture_message(early).text


def test_an_unreachable_queue_is_said_with_the_time_at_which_the_capture_expires() -> None:
    text = capture_message(CAPTURE, queue_reachable=False).text
    assert "queue cannot be reached" in text
    assert f"<!date^{int(CAPTURE.expires_at.timestamp())}^{{time}}|09:30 UTC>" in text


@pytest.mark.parametrize("state", sorted(FINAL - {State.DELIVERED, State.STOPPED}))
def test_a_capture_that_did_not_end_as_asked_shows_its_one_sentence(state: State) -> None:
    message = capture_message(replace(CAPTURE, state=state, sentence="The pod is gone: ask for another."))
    assert "The pod is gone: ask for another." in message.text


@given(st.text(max_size=2000), st.sampled_from(sorted(ACTIVE | FINAL)))
def test_a_filter_and_a_tap_of_any_text_stay_within_limits_and_mention_nobody(
    text: str, state: State
) -> None:
    hostile = replace(
        DONE, state=state, filter=text[:1000] + "<!channel>", tap=text + "<@U9>", sentence="Because."
    )
    message = capture_message(hostile)
    assert all(len(part) <= 3000 for part in texts(message.blocks))
    assert "<!channel>" not in message.text
    assert "<@U9>" not in message.text


@given(
    st.text(alphabet=st.characters(codec="ascii"), max_size=9000),
    st.lists(st.text(max_size=400), max_size=40),
)
def test_a_long_summary_is_cut_to_what_a_section_holds(table: str, lines: list[str]) -> None:
    message = thread_message("Flows.", table, lines, [])
    assert all(0 < len(part) <= 3000 for part in texts(message.blocks))
    assert len(message.blocks) <= 50


def test_a_table_that_is_cut_ends_at_a_whole_line_inside_its_code_block() -> None:
    table = "\n".join(f"line {number:05}" for number in range(1000))
    code = texts(thread_message("Flows.", table, [], []).blocks)[1]
    assert code.startswith("```\nline 00000\n")
    assert code.endswith("\n…\n```")
    assert all(line in {"```", "…"} or len(line) == 10 for line in code.splitlines())


def test_one_that_waits_for_room_says_where_it_stands_and_what_holds_it_back() -> None:
    waiting = replace(CAPTURE, place=3, waits_for="<@U1> has 3 captures running, the most at once")
    message = capture_message(waiting)
    assert "Waiting: 3rd in the queue, <@U1> has 3 captures running, the most at once." in message.text
    assert [button["action_id"] for button in buttons(message.blocks)] == [STOP]


FINDINGS = st.builds(
    Finding,
    st.sampled_from(["refused", "healthy"]),
    st.sampled_from(["critical", "warning", "info"]),
    st.text(min_size=1, max_size=3000),
    next=st.text(max_size=600),
    display_filter=st.text(max_size=900),
    frame=st.one_of(st.none(), st.integers(1, 10**6)),
    packets=st.lists(
        st.builds(Decoded, st.integers(1, 10), st.text(max_size=120), st.just({}), st.tuples(st.text())),
        max_size=3,
    ).map(tuple),
)


@given(st.lists(FINDINGS, max_size=31))
def test_whatever_was_found_stands_first_and_leaves_room_for_the_rest(findings: list[Finding]) -> None:
    shown = finding_texts(findings)
    message = thread_message("Flows.", "a table", ["said"], ["note"], shown)
    assert texts(message.blocks)[: len(shown)] == shown
    assert sum(map(len, shown)) <= 6100
    assert all(0 < len(part) <= 3000 for part in texts(message.blocks))
    assert len(message.blocks) <= 50


def test_a_finding_is_its_sentence_what_to_do_and_what_shows_it() -> None:
    finding = Finding(
        "refused", "critical", "`web:81` refused 3.", {}, "tcp.srcport == 81 && ip.src > 1", 4, "Look."
    )
    assert finding_texts([finding]) == [
        (
            ":red_circle: `web:81` refused 3.\n→ Look.\n"
            "In Wireshark: `tcp.srcport == 81 &amp;&amp; ip.src &gt; 1`"
        )
    ]


def test_what_wireshark_says_of_its_packet_and_the_answer_stands_behind_and_is_inert() -> None:
    asked = Decoded(4, "DNS", {"dns.qry.name": "Name: <!channel>`x`", "ip.ttl": "y"})
    answer = Decoded(6, "DNS", {"dns.flags.rcode": "Reply code: Server failure (2)"}, ("Late\x1b",))
    other = Decoded(5, "TCP", {"tcp.len": "y"})
    finding = Finding("dns-failure", "critical", "It failed.", frame=4, packets=(asked, other, answer))
    assert finding_texts([finding]) == [
        (
            ":red_circle: It failed.\nIn Wireshark: frame 4\n"
            "Frame 4: `DNS: Name: &lt;!channel&gt;'x'`\n"
            "Frame 6: `DNS: Late�; Reply code: Server failure (2)`"
        )
    ]


def test_where_there_is_no_room_what_wireshark_says_is_left_out_first() -> None:
    packet = Decoded(4, "DNS", {}, ("x" * 120, "y" * 120))
    texts = finding_texts([Finding("a", "critical", "s" * 780, frame=4, packets=(packet,))] * 7)
    assert ["`DNS" in each for each in texts] == [True] + 6 * [False]
    assert all("frame 4" in each for each in texts)


def test_findings_that_have_no_room_are_counted() -> None:
    *shown, left = finding_texts([Finding("refused", "critical", "x" * 880)] * 12)
    assert left == f"… and {12 - len(shown)} findings more: `podcap summarize FILE` shows all of them."


def test_a_sentence_that_is_cut_leaves_no_code_open() -> None:
    (text,) = finding_texts([Finding("refused", "critical", "a `" + "b c " * 400)])
    assert text.count("`") % 2 == 0
    assert len(text) < 950


def test_a_capture_without_flows_has_a_sentence_and_no_table() -> None:
    message = summary_message(Summary(Totals(3, 126, 0, 2 * 10**9, arp=3), (), payload=True))
    assert texts(message.blocks) == ["There is no TCP or UDP flow in 3 packets (126 bytes in 2.0 s): 3 ARP."]
