"""A timeline in as many columns as a picture has room for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from workers.summary.timeline import Timeline

MOST_COLUMNS = 150
"""Narrower ones are a grey haze on a phone."""


@dataclass(frozen=True, slots=True)
class Columns:
    """All sequences have the same length.

    Attributes:
        width: Seconds that a column spans.
        to_client: Bytes a second that servers sent.
        to_server: Bytes a second that clients sent.
        other: Bytes a second outside of TCP and UDP.
        marks: For each kind of event that happened, how many there were.
    """

    width: float
    to_client: tuple[float, ...]
    to_server: tuple[float, ...]
    other: tuple[float, ...]
    marks: dict[str, tuple[int, ...]]

    @property
    def seconds(self) -> float:
        """That all columns span."""
        return self.width * len(self.to_client)


def columns(timeline: Timeline, most: int = MOST_COLUMNS) -> Columns:
    """Merges so many neighbouring bins that at most `most` columns are left."""
    together = max(1, ceil(len(timeline.packets) / most))
    width = timeline.width * together

    def rates(counts: Sequence[int]) -> tuple[float, ...]:
        return tuple(number / width for number in _merged(counts, together))

    marks = {kind: _merged(counts, together) for kind, counts in timeline.marks.items() if any(counts)}
    return Columns(width, rates(timeline.to_client), rates(timeline.to_server), rates(timeline.other), marks)


def _merged(counts: Sequence[int], together: int) -> tuple[int, ...]:
    return tuple(sum(counts[at : at + together]) for at in range(0, len(counts), together))
