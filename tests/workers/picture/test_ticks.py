"""The figures of an axis."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.picture.charts import NOON
from workers.picture.ticks import round_step, time_ticks


@settings(max_examples=examples(60))
@given(st.floats(1e-6, 1e15))
def test_a_step_is_round_and_not_much_more_than_asked_for(least: float) -> None:
    step = round_step(least)
    assert least * 0.999 <= step <= least * 2.6
    assert f"{step:.0e}"[0] in "125"


@settings(max_examples=examples(60))
@given(st.none() | st.integers(-(2**63), 2**64), st.floats(0.001, 1e12))
def test_ticks_are_few_in_order_and_within_the_axis(first: int | None, seconds: float) -> None:
    ticks = [at for at, _ in time_ticks(first, seconds, 6)]
    assert len(ticks) <= 7
    assert ticks == sorted(ticks)
    assert all(-1e-3 <= at <= seconds * 1.001 + 1e-3 for at in ticks)


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (1.0, ["+0.0 s", "+0.2 s", "+0.4 s", "+0.6 s", "+0.8 s", "+1.0 s"]),
        (30.0, ["12:00:00", "12:00:05", "12:00:10", "12:00:15", "12:00:20", "12:00:25", "12:00:30"]),
        (600.0, ["12:00", "12:02", "12:04", "12:06", "12:08", "12:10"]),
        (5 * 86400.0, ["24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov"]),
    ],
)
def test_times_are_the_clocks_from_seconds_on(seconds: float, labels: list[str]) -> None:
    assert [label for _, label in time_ticks(NOON, seconds, 6)] == labels
