"""How long segments took that were merged or split on the way: until their last byte was there. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from workers.vantage.ranges import is_range, ranges
from workers.vantage.same import Both
from workers.vantage.sighting import FIELDS, Packet, packets


class _Sent(NamedTuple):
    """Segments that went further than those before, by where they end; and what was sent again."""

    ends: list[int]
    begins: list[int]
    segments: list[Packet]
    again: list[tuple[int, int]]

    def repeated(self, byte: int) -> bool:
        """Whether a byte was sent more than once."""
        return any(begin <= byte < end for begin, end in self.again)


def stretched(enter: "array[int]", leave: "array[int]", both: list[Both]) -> list[int]:
    """Nanoseconds that each took, by the clocks of both, of segments that are not at both stops as they were.

    Of what was sent again nothing is said: it may be another transmission that arrived.
    """
    known = {place // FIELDS for place, _ in both}
    near, far = list(packets(enter)), [packet for packet in packets(leave) if is_range(packet)]
    segments = [packet for packet in near if is_range(packet)]
    if not segments or not far:
        return []
    sequence = segments[0].sequence
    known_frames = {near[place].frame for place in known}
    sent, came = _sent(segments, sequence), _sent(far, sequence)
    if len(sent.again) > _MOST_AGAIN or len(came.again) > _MOST_AGAIN:
        return []
    found = []
    for end, packet in zip(sent.ends, sent.segments, strict=True):
        if packet.frame in known_frames:
            continue
        place = bisect_left(came.ends, end)
        there = place < len(came.ends) and came.begins[place] < end
        if there and not sent.repeated(end - 1) and not came.repeated(end - 1):
            found.append(came.segments[place].time - packet.time)
    return found


_MOST_AGAIN = 1000
"""Segments sent again, from which on a stream says little of how long its packets take."""


def _sent(segments: Sequence[Packet], sequence: int) -> _Sent:
    found = _Sent([], [], [], [])
    for packet, (begin, end) in zip(segments, ranges(segments, sequence), strict=True):
        highest = found.ends[-1] if found.ends else begin
        if begin >= highest:
            found.ends.append(end)
            found.begins.append(begin)
            found.segments.append(packet)
        else:
            found.again.append((begin, end))
    return found
