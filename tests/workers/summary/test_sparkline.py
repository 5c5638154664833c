"""The course of the traffic in one line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.picture.charts import charts
from workers.picture.chart import Chart
from workers.summary.sparkline import sparkline
from workers.summary.timeline import Timeline


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((0, 1, 50, 100), " ▁▄█ peak 100 bytes/s"),
        ((7, 7), "██ peak 7 bytes/s"),
        ((0, 0), ""),
        ((5,), ""),
        ((), ""),
    ],
)
def test_its_levels_are_shares_of_the_peak(counts: tuple[int, ...], line: str) -> None:
    none = (0,) * len(counts)
    assert sparkline(Timeline(1.0, counts, counts, none, none), 60) == line


@settings(max_examples=examples(10))
@given(charts(), st.integers(1, 200))
def test_it_is_no_wider_than_asked_for(chart: Chart, width: int) -> None:
    course = sparkline(chart.timeline, width).rpartition(" peak ")[0]
    assert len(course) <= width
