"""A drawing within a page."""

import xml.etree.ElementTree as ET

from hypothesis import given, settings

from tests.examples import examples
from tests.workers.picture.charts import charts
from workers.picture.chart import Chart
from workers.picture.plot import drawing
from workers.picture.svg import svg


@settings(max_examples=examples(8))
@given(charts())
def test_it_is_well_formed_and_has_a_shape_for_each(chart: Chart) -> None:
    drawn = drawing(chart)
    element = ET.fromstring(svg(drawn, '<script>&"'))
    assert element.get("aria-label") == '<script>&"'
    assert len(element) == len(drawn.shapes)
