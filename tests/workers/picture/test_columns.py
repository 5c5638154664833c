"""Merging bins into columns."""

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.workers.picture.charts import charts
from workers.picture.chart import Chart
from workers.picture.columns import MOST_COLUMNS, columns


@settings(max_examples=examples(8))
@given(charts())
def test_merging_loses_no_byte_and_no_event(chart: Chart) -> None:
    line, shown = chart.timeline, columns(chart.timeline)
    assert len(shown.to_client) <= MOST_COLUMNS
    for rates, counts in (
        (shown.to_client, line.to_client),
        (shown.to_server, line.to_server),
        (shown.other, line.other),
    ):
        assert sum(rates) * shown.width == pytest.approx(sum(counts))
    assert {kind: sum(counts) for kind, counts in shown.marks.items()} == {
        kind: sum(counts) for kind, counts in line.marks.items() if any(counts)
    }


@settings(max_examples=examples(8))
@given(charts())
def test_a_column_spans_what_its_bins_span(chart: Chart) -> None:
    shown = columns(chart.timeline)
    bins = len(chart.timeline.packets)
    assert chart.timeline.width * bins <= shown.seconds < chart.timeline.width * bins + shown.width
