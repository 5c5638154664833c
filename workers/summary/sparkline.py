"""The course of the traffic in one line of text. Pure."""

from collections.abc import Sequence
from math import ceil

from workers.summary.timeline import Timeline
from workers.thread.words import size

_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(timeline: Timeline, width: int) -> str:
    """`▁▁▃█▂▁`, and what its peak is: at most `width` characters for the course.

    Where no byte passed there is a space; the least traffic has the lowest level.
    """
    counts = [sum(each) for each in zip(timeline.to_server, timeline.to_client, timeline.other, strict=True)]
    together = max(1, ceil(len(counts) / width))
    columns = [sum(counts[at : at + together]) for at in range(0, len(counts), together)]
    if len(columns) < 2 or not any(columns):  # noqa: PLR2004, a course has two points
        return ""
    peak = size(round(max(columns) / (together * timeline.width)))
    return f"{_levels(columns)} peak {peak}/s"


def _levels(columns: Sequence[int]) -> str:
    most = max(columns)
    return "".join(" " if not each else _LEVELS[(each * len(_LEVELS) - 1) // most] for each in columns)
