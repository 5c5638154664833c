"""Packets that took long between two vantage points. Pure.

Where both have one clock, each direction is measured. Where they have two, only there and back together can
be told, and how much longer some took than the fastest.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from workers.summary.finding import Finding
from workers.thread.words import count
from workers.vantage.findings.between import Between, shown, span
from workers.vantage.passage import Delay, Segment, Stop

ID = "delayed-between"

_SLOW = 10_000_000
"""Nanoseconds one way, in the middle, from which on a part of a cluster's network is slow."""

_STALLED = 100_000_000
"""Nanoseconds that the slowest packet in a hundred takes when something on the way stalls."""

_ENOUGH, _ENOUGH_FOR_STALLS = 5, 10


class _Place(NamedTuple):
    near: int
    far: int
    protocol: str
    and_back: bool


class _Slow(NamedTuple):
    stops: tuple[Stop, Stop]
    packets: int
    median: int
    longest: int


def find(between: Between) -> Iterator[Finding]:
    """One for each part of the way and direction that is slow."""
    found: dict[_Place, list[_Slow]] = defaultdict(list)
    for passage in between.passages:
        for place, segment in enumerate(passage.segments):
            near, far = passage.stops[place], passage.stops[place + 1]
            one_way = [
                *_slow(near, far, segment.forward.delay),
                *_slow(far, near, segment.back.delay),
            ]
            both_ways = [] if one_way else _together(near, far, segment)
            for slow in (*one_way, *both_ways):
                enter, leave = slow.stops
                where = _Place(enter.vantage, leave.vantage, passage.protocol, not one_way)
                found[where].append(slow)
    for where, those in found.items():
        if sum(each.packets for each in those) >= _ENOUGH:
            yield _finding(between, where, those)


def _slow(enter: Stop, leave: Stop, delay: Delay | None) -> list[_Slow]:
    """What is certainly slow."""
    if delay is None:
        return []
    median, longest = delay.median[0], delay.p99[0]
    stalled = longest >= _STALLED and delay.packets >= _ENOUGH_FOR_STALLS
    return [_Slow((enter, leave), delay.packets, median, longest)] if median >= _SLOW or stalled else []


def _together(near: Stop, far: Stop, segment: Segment) -> list[_Slow]:
    """There and back: what clocks are apart cancels out."""
    there, back = segment.forward.delay, segment.back.delay
    if there is None or back is None:
        return []
    median, longest = _middle(there.median, back.median), _middle(there.p99, back.p99)
    if median is None or longest is None or median < 2 * _SLOW:
        return []
    return [_Slow((near, far), there.packets + back.packets, median, longest)]


def _middle(there: tuple[int, int | None], back: tuple[int, int | None]) -> int | None:
    bounds = [each for each in (*there, *back) if each is not None]
    return sum(bounds) // 2 if len(bounds) == len(there + back) else None


def _finding(between: Between, where: _Place, found: list[_Slow]) -> Finding:
    medians = sorted(each.median for each in found)
    median, longest = medians[len(medians) // 2], max(each.longest for each in found)
    packets = sum(each.packets for each in found)
    frame = min(each.stops[0].first_frame for each in found)
    near, far = where.near, where.far
    back, or_back = (" and back", " or back") if where.and_back else ("", "")
    return Finding(
        ID,
        "warning",
        f"Packets take {span(median)} from {between.vantage(near)} to {between.vantage(far)}{back} "
        f"(the median of {count(packets, 'packet')}; the slowest {span(longest)}), in "
        f"{count(len(found), 'connection')}: they are delayed {between.where(near, far)}{or_back}.",
        {
            "times": packets,
            "connections": len(found),
            "clients": len({each.stops[0].client.address for each in found}),
            "median": median / 1e9,
            "longest": longest / 1e9,
            "from": between.vantages[near].name,
            "to": between.vantages[far].name,
        },
        shown(frame, where.protocol, (stop for each in found for stop in each.stops)),
        frame,
        "Look there for queues (`tc -s qdisc`), CPU limits of proxies and sidecars, and encryption; between "
        "nodes also at the path itself (`ping`, `mtr`).",
    )
