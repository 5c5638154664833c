"""What the evidence script answered in this project's own namespaces, recorded by recorded.py."""

import pytest

from tests.workers.tap.recorded import Recording, recordings
from workers.tap.tap import decide

RECORDINGS = recordings()


def test_there_is_a_recording_of_every_kind_of_pod_that_the_recorder_makes() -> None:
    assert {one.name for one in RECORDINGS} == {
        *("bridge-11", "bridge-111", "bridge-1110", "routed", "routed-dual-stack", "routed-ipv6"),
        *("macvlan", "sandbox-without-address", "two-interfaces"),
    }


@pytest.mark.parametrize("one", RECORDINGS, ids=[one.name for one in RECORDINGS])
def test_a_recorded_pod_is_tapped_at_the_link_that_was_made_for_it(one: Recording) -> None:
    assert one.evidence.missing == ()
    tap = decide(one.evidence, one.pod, may_enter=True)
    assert tap.confidence == "high"
    assert (tap.ifindex if tap.pid is None else 0) == one.ifindex


@pytest.mark.parametrize("one", RECORDINGS, ids=[one.name for one in RECORDINGS])
def test_both_ends_of_every_recorded_pair_had_counted_the_same(one: Recording) -> None:
    tap = decide(one.evidence, one.pod, may_enter=True)
    if tap.pid is None and "sandbox" not in one.name:
        assert "both ends count the same packets" in tap.proof[0]
