"""The taps of a capture in its message."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.thread.tap_lines import (
    MOST_LINES,
    ended_early,
    nodes_of,
    tap_sections,
    taps_taken,
    where_looked,
)

DONE = TapRecord(
    0,
    namespace="traefik",
    pod="cheddar-0",
    node="node1",
    state=TapState.COLLECTED,
    interface="veth1",
    packets=1204,
    bytes=5_000,
)


def test_one_tap_has_the_capture_s_own_words() -> None:
    assert tap_sections([DONE]) == []


def test_each_tap_has_a_line_with_what_came_of_it() -> None:
    failed = TapRecord(
        1,
        namespace="traefik",
        pod="gone",
        node="node2",
        state=TapState.FAILED,
        sentence="It is gone.",
    )
    uplink = replace(DONE, number=2, kind=TapKind.UPLINK, namespace="", pod="", interface="eth0", dropped=7)
    (said,) = tap_sections([DONE, failed, uplink])
    assert said.splitlines() == [
        ":white_check_mark: `traefik/cheddar-0` on `node1` at `veth1`: 1,204 packets, 5.0 kB",
        ":x: `traefik/gone` on `node2`: It is gone.",
        ":white_check_mark: `node/node1` at `eth0`: 1,204 packets, 5.0 kB, 7 dropped",
    ]
    assert taps_taken([DONE, failed]) == "at 1 of 2 pods, on 1 node"
    assert taps_taken([DONE, uplink]) == "at 2 taps, on 1 node"


def test_one_tap_and_several_are_found_and_fetched_in_words_of_their_own() -> None:
    other, uplink = replace(DONE, node="node2"), replace(DONE, kind=TapKind.UPLINK)
    assert [where_looked(taps) for taps in ([], [DONE], [uplink], [DONE, uplink])] == [
        "the pod's interface on its node",
        "the pod's interface on its node",
        "the node's uplink",
        "each tap's interface on its node",
    ]
    assert [nodes_of(taps) for taps in ([], [DONE, uplink], [DONE, other])] == [
        "the node",
        "the node",
        "the nodes",
    ]


def test_which_of_several_taps_met_a_limit_is_counted() -> None:
    full = replace(DONE, ended_by="bytes")
    assert ended_early("bytes", [full]) == "It ended early, at its limit of bytes."
    assert ended_early("duration", [DONE]) == ""
    assert ended_early("bytes", [full, DONE]) == "1 of 2 taps ended early, at its limit of bytes."
    assert ended_early("lost", [full, full]) == "All 2 taps ended early, at their limit of bytes."
    assert ended_early("duration", [DONE, DONE]) == ""


def test_many_taps_are_told_by_node_and_those_that_failed_by_name() -> None:
    taps = [replace(DONE, number=number, node=f"node{number % 3}") for number in range(60)]
    taps[4] = replace(taps[4], state=TapState.FAILED, sentence="Its pod is gone.", packets=None)
    (said,) = tap_sections(taps)
    assert said.splitlines() == [
        ":white_check_mark: `node0`: 20 taps: 24,080 packets, 100 kB",
        ":white_check_mark: `node1`: 20 taps, 1 failed: 22,876 packets, 95 kB",
        ":white_check_mark: `node2`: 20 taps: 24,080 packets, 100 kB",
        ":x: `traefik/cheddar-0` on `node1`: Its pod is gone.",
    ]


@given(
    st.lists(
        st.builds(
            replace,
            st.just(DONE),
            pod=st.text(min_size=1, max_size=253),
            node=st.none() | st.text(min_size=1, max_size=253),
            state=st.sampled_from(TapState),
            sentence=st.none() | st.text(max_size=2_000),
        ),
        max_size=3 * MOST_LINES,
    )
)
def test_any_taps_at_all_fit_a_message(taps: list[TapRecord]) -> None:
    sections = tap_sections(taps)
    assert all(len(section) <= 3_000 for section in sections)
    assert sum(map(len, sections)) <= 9_000
