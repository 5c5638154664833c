"""Painting, in the child."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from tests.workers.picture.charts import recognised
from workers.picture.picture import PictureError, chart_of, picture
from workers.picture.shapes import OKABE_ITO
from workers.summary.summary import Summary, Totals


def test_the_child_paints_what_the_chart_says() -> None:
    painted = picture(recognised())
    image = Image.open(io.BytesIO(painted.png))
    assert image.size == (1200, 675)
    assert image.format == "PNG"
    colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or ()}
    near = {
        role: min(
            sum(abs(a - int(hexa[at : at + 2], 16)) for a, at in zip(colour, (1, 3, 5), strict=True))
            for colour in colours
        )
        for role, hexa in OKABE_ITO.items()
    }
    assert all(near[role] < 30 for role in ("client", "server", "ink", "cross", "paper")), near
    assert len(painted.png) < 100_000
    assert "2 resets" in painted.alt_text


def test_what_cannot_be_painted_is_one_sentence() -> None:
    broken = replace(recognised(), timeline=replace(recognised().timeline, width=0.0))
    with pytest.raises(PictureError, match="could not be painted"):
        picture(broken)


def test_a_summary_without_a_course_still_gives_a_chart() -> None:
    chart = chart_of(Summary(Totals(), (), payload=True), "x")
    assert chart.packets == 0
