"""The summaries of several taps as one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from workers.several.combined import combined
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange
from workers.summary.flow import Flow
from workers.summary.summary import Summary, Totals
from workers.summary.timeline import MOST_BINS, Timeline

CLIENT, POD = Endpoint("10.0.0.9", 4000), Endpoint("10.0.0.1", 80)
SECOND = 10**9


def summary(packets: int, *, first: int = 0, client: Endpoint = CLIENT, width: float = 1.0) -> Summary:
    flow = Flow("TCP", client, POD, packets, 60 * packets, 0, 0, 0.5, 1.0)
    said = HttpExchange(client, POD, 1, 0.5, "GET", "cheddar", "/", 200, 0.1)
    totals = Totals(packets, 60 * packets, first, first + SECOND, tcp=packets)
    line = Timeline(width, (packets, 0), (60 * packets, 0), (0, 0), (0, 0), {"reset": (1, 0)})
    return Summary(totals, (flow,), payload=True, exchanges=(said,), timeline=line, event_counts={"reset": 1})


def test_a_flow_that_passes_two_taps_is_shown_once_as_the_tap_saw_it_that_saw_most() -> None:
    both = combined([summary(3), summary(5, first=2 * SECOND)])
    (flow,) = both.flows
    assert (flow.packets, flow.start) == (5, 2.5)
    assert [one.start for one in both.exchanges] == [2.5]
    assert both.flow_count == 1
    assert both.totals == Totals(8, 480, 0, 3 * SECOND, tcp=8)
    assert both.event_counts == {"reset": 2}


def test_flows_of_different_ends_stay_apart_and_are_all_counted() -> None:
    other = replace(summary(2, client=Endpoint("10.0.0.8", 1)), flow_count=7)
    assert combined([summary(3), other]).flow_count == 8
    assert len(combined([summary(3), other]).flows) == 2


def test_what_arrives_elsewhere_under_other_addresses_is_told_there_alone() -> None:
    entrance = summary(3, client=Endpoint("192.168.1.35", 4000))
    told = combined([entrance, summary(3)], (), {(0, frozenset((Endpoint("192.168.1.35", 4000), POD)))})
    assert [flow.a for flow in told.flows] == [CLIENT]
    assert [one.client for one in told.exchanges] == [CLIENT]
    assert told.flow_count == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 2_000), st.sampled_from([0.001, 0.032, 1.024])),
        min_size=1,
        max_size=4,
    )
)
def test_the_course_of_all_has_every_packet_and_fits_its_bins(taps: list[tuple[int, int, float]]) -> None:
    lines = [summary(packets, first=first * SECOND, width=width) for packets, first, width in taps]
    line = combined(lines).timeline
    assert line is not None
    assert sum(line.packets) == sum(packets for packets, _, _ in taps)
    assert sum(line.marks["reset"]) == len(taps)
    assert len(line.packets) == len(line.to_server) == len(line.marks["reset"]) <= MOST_BINS
