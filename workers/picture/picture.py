"""The picture of a capture, painted in a child process, and what is said beside it."""

import json
import tempfile
from dataclasses import dataclass

from workers.picture.alt_text import alt_text
from workers.picture.chart import Chart
from workers.summary.limited import run_limited
from workers.summary.summary import Summary
from workers.summary.timeline import Timeline

SECONDS = 20
MEMORY = 150 << 20
"""Bytes of address space: twice what it uses."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 1 << 20


class PictureError(Exception):
    """There is no picture; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of 1200 by 675 pixels, and what it shows, in words."""

    png: bytes
    alt_text: str


def chart_of(summary: Summary, title: str) -> Chart:
    """What a picture of this summary is made of.

    Args:
        summary: Of a capture file; a digest is enough.
        title: Whose traffic it is.
    """
    totals = summary.totals
    line = summary.timeline or Timeline(0.001)
    return Chart(title, totals.packets, totals.bytes, totals.first, totals.duration, summary.payload, line)


def picture(chart: Chart) -> Picture:
    """Paints it.

    Raises:
        PictureError: The child did not.
    """
    with tempfile.TemporaryFile(prefix="podcap-chart-") as source:
        source.write(json.dumps(chart.to_json()).encode())
        source.seek(0)
        output, failure = run_limited("workers.picture.child", [], source, seconds=SECONDS, memory=MEMORY)
    if failure or not output.startswith(_SIGNATURE) or len(output) > _LARGEST:
        raise PictureError("The picture of the traffic could not be painted: see podcap's log.")
    return Picture(output, alt_text(chart))
