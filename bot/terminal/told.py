"""A summary as lines of a terminal: findings, the course of the traffic, flows, what was said, notes."""

from collections.abc import Iterable
from textwrap import wrap

from bot.terminal.findings import finding_lines
from bot.terminal.paint import Paint
from bot.terminal.visible import visible
from bot.terminal.words import in_the_terminal
from workers.picture.picture import chart_of
from workers.picture.plot import when
from workers.summary.sparkline import sparkline
from workers.summary.summary import Summary
from workers.summary.table import flow_table, said_lines, without_flows

_MOST_FLOWS, _MOST_SAID = 1000, 100
_NARROWEST, _WIDEST = 60, 160
_BESIDE_SPARKLINE = 24


def told(summary: Summary, *, width: int, paint: Paint) -> Iterable[str]:
    """The lines, none with anything that acts on a terminal but `paint`.

    Args:
        summary: Of a capture file.
        width: Columns of the terminal.
        paint: Colours.
    """
    width = max(_NARROWEST, min(_WIDEST, width))
    yield from finding_lines(summary.findings, width=width, paint=paint)
    course = sparkline(summary.timeline, width - _BESIDE_SPARKLINE) if summary.timeline else ""
    if course:
        yield visible(when(chart_of(summary, "")))
        yield course
        yield ""
    yield from _flows(summary, width, paint)
    yield from map(in_the_terminal, said_lines(summary, limit=_MOST_SAID))
    for note in summary.notes:
        yield from wrap(in_the_terminal(note), width)


def _flows(summary: Summary, width: int, paint: Paint) -> Iterable[str]:
    if not summary.flows:
        yield from wrap(without_flows(summary.totals), width)
        return
    head, *rows = flow_table(summary, limit=_MOST_FLOWS, width=width).split("\n")
    yield paint("title", head)
    yield from map(in_the_terminal, rows)
