"""A comparison as JSON, and back."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.vantage.comparison import Absent, Comparison, Explained, Offset
from workers.vantage.passage import Delay, Passage, Segment, Stop, Way
from workers.vantage.vantage import Vantage

NUMBERS = st.integers(0, 2**63)
ENDS = st.builds(Endpoint, st.sampled_from(["10.244.2.2", "fd00::1"]), st.integers(0, 65535))
BOUNDS = st.tuples(NUMBERS, st.none() | NUMBERS)
WAYS = st.builds(
    Way, NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | st.builds(Delay, NUMBERS, BOUNDS, BOUNDS), NUMBERS
)
SEGMENTS = st.builds(Segment, st.booleans(), st.booleans(), WAYS, WAYS)
STOPS = st.builds(Stop, NUMBERS, ENDS, ENDS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans())
PASSAGES = st.lists(STOPS, min_size=2, max_size=3).flatmap(
    lambda stops: st.builds(
        Passage,
        st.sampled_from(["TCP", "UDP", "ICMP"]),
        st.just(tuple(stops)),
        st.lists(SEGMENTS, min_size=len(stops) - 1, max_size=len(stops) - 1).map(tuple),
    )
)
POD = Vantage(0, "traefik/cheddar-1", "pod", "k8s-node02", ("10.244.2.2",), "veth1", 5, 9, 0, "port 80")


@given(st.lists(PASSAGES, max_size=3), st.none() | NUMBERS)
def test_a_comparison_comes_back_from_json_as_it_was(passages: list[Any], bound: int | None) -> None:
    comparison = Comparison(
        (POD,),
        (Offset("k8s-node01", "k8s-node02", bound, 7, 3),),
        tuple(passages),
        findings=(Finding("lost-between", "critical", "It was lost.", {"times": 1}),),
        explained=(Explained("reset", 0, Endpoint("fd00::1", 80), 2),),
        absent=(Absent("TCP", Endpoint("fd00::1", 5000), Endpoint("10.244.2.2", 80), (0, 3), True),),
        notes=("A note.",),
    )
    assert Comparison.from_json(json.loads(json.dumps(comparison.to_json()))) == comparison


def stop(vantage: int, client: str, server: str) -> Stop:
    return Stop(vantage, Endpoint.parse(client), Endpoint.parse(server), 1, 0, 1, 1)


def test_who_a_client_truly_is_can_be_asked_with_what_the_pod_saw() -> None:
    uplink = stop(1, "192.168.1.35:4000", "192.168.1.20:32604")
    pod = stop(0, "10.244.1.1:23456", "10.244.1.2:80")
    found = Comparison(passages=(Passage("TCP", (uplink, pod), (Segment(True, True),)),)).origins()
    assert found[0, pod.client, pod.server].origin.client.address == "192.168.1.35"


def test_a_digest_keeps_what_was_rewritten_and_says_how_many_there_were() -> None:
    plain = Passage("TCP", (stop(0, "1.1.1.1:1", "2.2.2.2:2"),) * 2, (Segment(False, False),))
    changed = Passage("TCP", (stop(0, "1.1.1.1:1", "2.2.2.2:2"),) * 2, (Segment(True, False),))
    digest = Comparison(passages=(plain, changed)).digest(passages=1)
    assert (digest.passages, digest.passage_count) == ((changed,), 2)
