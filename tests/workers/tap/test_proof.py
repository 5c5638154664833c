"""What contradicts a capture, from readings of before and after. Constructed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.cluster.pod import Pod
from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow
from workers.summary.host import busiest
from workers.summary.summary import Summary, Totals
from workers.tap.counters import Counters
from workers.tap.proof import Captured, Reading, Watched, captured, contradictions

POD = Pod("shop", "web-1", "0a0a0a0a-0000-4000-8000-000000000001", "Running", node="n1", ips=("10.0.0.9",))
BEFORE = Reading(
    link=("veth9", 9, 2, 7),
    node_side=Counters(received=100, sent=200),
    pod_side=(Counters(received=200, sent=100), Counters(received=200, sent=100)),
    processes=frozenset({(41, 5000), (42, 5001)}),
    mark=None,
)


def after(*, to_pod: int = 0, from_pod: int = 0) -> Reading:
    """So many packets later, each of which both ends have counted."""
    there = Counters(received=200 + to_pod, sent=100 + from_pod)
    return replace(
        BEFORE, node_side=Counters(received=100 + from_pod, sent=200 + to_pod), pod_side=(there, there)
    )


def said(later: Reading, seen: Captured, now: Pod | None = POD, before: Reading = BEFORE) -> list[str]:
    return [each.sentence for each in contradictions(before, later, seen, POD, now)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 9), st.integers(0, 9))
def test_a_capture_of_all_that_passed_contradicts_nothing_whatever_passed_around_it(
    to_pod: int, from_pod: int, early: int, late: int
) -> None:
    seen = Captured(to_pod + from_pod + 1, to_pod, from_pod)
    assert said(after(to_pod=to_pod + early, from_pod=from_pod + late), seen) == []


def test_packets_to_the_pod_that_are_not_in_the_capture_are_a_missing_direction() -> None:
    (sentence,) = said(after(to_pod=500, from_pod=480), Captured(480, 0, 480))
    assert sentence == "500 packets went to the pod, none of them was captured: one direction is missing."


def test_packets_from_the_pod_that_are_not_in_the_capture_are_a_missing_direction() -> None:
    (sentence,) = said(after(to_pod=500, from_pod=480), Captured(500, 500, 0))
    assert sentence == "480 packets left the pod, none of them was captured: one direction is missing."


def test_packets_whose_direction_was_not_counted_may_be_those_that_seem_to_be_missing() -> None:
    assert said(after(to_pod=500, from_pod=480), Captured(980, 0, 480)) == []


def test_where_hardly_a_packet_has_a_direction_none_is_missing() -> None:
    """A capture of pings, of which some passed before tcpdump listened."""
    assert said(after(to_pod=500, from_pod=480), Captured(400, 0, 0)) == []
    assert said(after(to_pod=500, from_pod=480), Captured(401, 1, 0)) == []


def test_with_a_filter_one_direction_alone_is_no_contradiction() -> None:
    assert said(after(to_pod=500, from_pod=480), Captured(480, 0, 480, "src host 10.0.0.9")) == []


def test_what_moved_meanwhile_is_told_to_whoever_looks_at_an_empty_capture() -> None:
    assert Watched(POD, BEFORE, after(to_pod=7, from_pod=5), POD).moved == 12
    blind = Reading(None, None, None, frozenset(), None)
    assert Watched(POD, blind, blind, POD).moved is None


def test_silence_that_was_captured_as_silence_is_no_contradiction() -> None:
    assert said(after(), Captured(0, 0, 0)) == []
    assert said(after(), Captured(0, 0, 0, "tcp port 81")) == []


def test_a_pod_with_another_uid_afterwards_was_recreated() -> None:
    (sentence,) = said(after(), Captured(0, 0, 0), replace(POD, uid="0b"))
    assert sentence == (
        "Pod web-1 was recreated while it was captured: the packets are those of the one before."
    )


def test_a_pod_that_is_gone_afterwards_was_deleted() -> None:
    assert said(after(), Captured(0, 0, 0), None) == ["Pod web-1 was deleted while it was captured."]


def test_the_same_pid_with_another_start_time_is_another_process() -> None:
    later = replace(after(), processes=frozenset({(41, 9000)}))
    assert said(later, Captured(0, 0, 0)) == [
        "No process of pod web-1 lived through the capture: it was started anew."
    ]


def test_one_process_that_lived_through_is_enough() -> None:
    assert said(replace(after(), processes=frozenset({(42, 5001), (77, 9000)})), Captured(0, 0, 0)) == []


def test_another_mark_is_another_network_namespace() -> None:
    later = replace(after(), mark=4026532999)
    (sentence,) = said(later, Captured(0, 0, 0), before=replace(BEFORE, mark=4026532618))
    assert sentence == "The network namespace of pod web-1 was replaced while it was captured."


@pytest.mark.parametrize("link", [None, ("veth9", 9, 2, 8), ("veth9", 9, 3, 7), ("vethX", 9, 2, 7)])
def test_an_interface_that_is_gone_or_leads_elsewhere_was_replaced(
    link: tuple[str, int, int | None, int | None] | None,
) -> None:
    (sentence,) = said(replace(after(to_pod=99), link=link), Captured(0, 0, 0))
    assert sentence == "Interface veth9 was replaced while it was captured: packets after that are missing."


def test_packets_that_reached_the_pod_past_the_nodes_side_are_counted_and_the_policy_key_is_named() -> None:
    there = Counters(received=700, sent=100)
    later = replace(after(to_pod=20, from_pod=30), pod_side=(there, there))
    (finding,) = contradictions(BEFORE, later, Captured(50, 20, 30), POD, POD)
    assert finding.sentence.startswith("480 packets reached the pod past its interface on the node")
    assert "namespace_tap: true" in finding.next


def test_packets_between_the_two_readings_of_the_pods_side_are_not_taken_for_missed_ones() -> None:
    early, late = Counters(received=200, sent=100), Counters(received=260, sent=100)
    before = replace(BEFORE, node_side=Counters(received=100, sent=230), pod_side=(early, late))
    later = replace(after(to_pod=100), pod_side=(Counters(290, 100), Counters(300, 100)))
    assert said(later, Captured(60, 60, 0), before=before) == []


def test_inside_the_namespace_the_pods_own_side_is_compared() -> None:
    before = replace(BEFORE, link=None, node_side=None)
    later = replace(after(to_pod=40, from_pod=40), link=None, node_side=None)
    assert said(later, Captured(40, 40, 0), before=before) == [
        "40 packets left the pod, none of them was captured: one direction is missing."
    ]


def test_without_counters_nothing_is_said_of_packets() -> None:
    blind = Reading(None, None, None, frozenset(), None)
    assert said(blind, Captured(0, 0, 0, "tcp port 81"), before=blind) == []


def test_a_summarys_packets_are_told_apart_by_whether_the_pod_sent_them() -> None:
    flows = (
        Flow("TCP", Endpoint("10.0.0.9", 80), Endpoint("10.0.0.1", 4000), 7, 700, 5, 500, 0.0, 1.0),
        Flow("UDP", Endpoint("10.0.0.2", 53), Endpoint("10.0.0.9", 5353), 2, 200, 3, 300, 0.0, 1.0),
    )
    seen = captured(Summary(Totals(packets=20), flows, payload=False, hosts=busiest(flows)), POD, "udp")
    assert seen == Captured(packets=20, to_pod=7, from_pod=10, filter="udp")
    assert seen.undirected == 3
