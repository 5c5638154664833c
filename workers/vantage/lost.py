"""Which packets of one direction entered a part of the way and never left it. Pure.

A packet that is at the other end as it was is not lost. Nor is one of TCP whose bytes are all there, each as
often as it was sent: interfaces merge segments and split them (GRO, TSO). Of one that was sent again as often
as it was lost, the earlier ones count as lost where nothing tells them apart.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from workers.vantage.ranges import is_range, ranges
from workers.vantage.sighting import Packet


def lost(entered: Iterable[Packet], left: Iterable[Packet], *, tcp: bool) -> list[Packet]:
    """Packets that entered and never left, in the order of the file."""
    there = list(left)
    counted = Counter(packet.itself for packet in there)
    missing = [packet for packet in entered if not _taken(counted, packet.itself)]
    if not tcp or not missing:
        return missing
    counted_left = +counted
    merged = [packet for packet in there if is_range(packet) and _taken(counted_left, packet.itself)]
    if not merged:
        return missing
    uncovered = set(_uncovered([packet for packet in missing if is_range(packet)], merged))
    return [packet for packet in missing if not is_range(packet) or packet.frame in uncovered]


def _taken(counted: Counter[tuple[int, int]], key: tuple[int, int]) -> bool:
    if counted[key] <= 0:
        return False
    counted[key] -= 1
    return True


def _uncovered(sent: Sequence[Packet], came: Sequence[Packet]) -> Iterator[int]:
    """Frames of segments some bytes of which came less often than they were sent."""
    if not sent:
        return
    wanted, there = ranges(sent, sent[0].sequence), ranges(came, sent[0].sequence)
    edges = sorted({edge for each in (*wanted, *there) for edge in each})
    missing = [0] * len(edges)
    for those, step in ((wanted, 1), (there, -1)):
        for begin, end in those:
            missing[bisect_left(edges, begin)] += step
            missing[bisect_left(edges, end)] -= step
    total = 0
    for place, step in enumerate(missing):
        total += step
        missing[place] = total
    for packet, (begin, end) in zip(sent, wanted, strict=True):
        places = range(bisect_left(edges, begin), bisect_left(edges, end))
        short = [place for place in places if missing[place] > 0]
        for place in short:
            missing[place] -= 1
        if short:
            yield packet.frame
