"""The drawing of a chart."""

from typing import get_args

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.workers.picture.charts import charts, recognised
from workers.picture.chart import Chart
from workers.picture.lanes import LANES
from workers.picture.plot import HEIGHT, WIDTH, drawing
from workers.picture.shapes import Drawing, Text
from workers.summary.event import Kind

LEAST_TEXT = 22
"""Pixels: what can be read where 1200 are as wide as a phone."""


def texts(drawn: Drawing) -> list[str]:
    return [shape.text for shape in drawn.shapes if isinstance(shape, Text)]


@settings(max_examples=examples(15))
@given(charts())
def test_whatever_was_counted_the_drawing_stays_within_its_frame(chart: Chart) -> None:
    drawn = drawing(chart)
    assert (drawn.width, drawn.height) == (WIDTH, HEIGHT)
    for shape in drawn.shapes:
        for x, y in (shape.at,) if isinstance(shape, Text) else shape.points:
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


@settings(max_examples=examples(8))
@given(charts())
def test_every_text_can_be_read_on_a_phone_and_is_in_the_painters_font(chart: Chart) -> None:
    for shape in drawing(chart).shapes:
        if isinstance(shape, Text):
            assert shape.size >= LEAST_TEXT
            assert shape.text.replace("·", "").isascii()
            assert shape.text.isprintable()


@settings(max_examples=examples(8))
@given(charts())
def test_a_chart_survives_its_form_in_json(chart: Chart) -> None:
    assert drawing(Chart.from_json(chart.to_json())) == drawing(chart)


def test_it_says_whose_traffic_and_when_and_labels_what_stands_there() -> None:
    told = texts(drawing(recognised()))
    assert "traefik/cheddar-845749dbd6-zcdjm" in told
    assert "2026-11-23 12:00:00 to 12:00:10 UTC · 100 packets, 94 kB" in told
    assert "to clients 89 kB, peak 78 kB/s at 12:00:04" in told
    assert "to servers 5.0 kB, peak 488 bytes/s at 12:00:00" in told
    assert "resets 2" in told
    assert "DNS errors 3" in told
    assert "12:00:06" in told


def test_each_sort_of_event_has_a_shape_of_its_own_and_every_kind_a_lane() -> None:
    assert len({lane.mark for lane in LANES}) == len(LANES)
    assert sorted(kind for lane in LANES for kind in lane.kinds) == sorted(get_args(Kind))


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        (Chart("x", 0, 0, None, 0.0, True, recognised().timeline), "No packet passed."),
        (
            Chart("x", 1, 60, 0, 0.0, True, type(recognised().timeline)(0.001, (1,), (60,), (0,), (0,))),
            "1 packet: nothing over time to draw.",
        ),
    ],
)
def test_nothing_to_draw_is_said(chart: Chart, sentence: str) -> None:
    assert sentence in texts(drawing(chart))
