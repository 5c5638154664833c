"""One direction of a connection between two neighbouring stops: losses, delays, resets. Pure."""

from array import array
from collections.abc import Container, Sequence
from typing import NamedTuple

from workers.vantage.clocks import Bounds
from workers.vantage.lost import lost
from workers.vantage.passage import Delay, Way
from workers.vantage.same import same, took
from workers.vantage.sighting import FIELDS, RST, Packet, any_flag, packets
from workers.vantage.stretched import stretched
from workers.vantage.view import View

_HUNDREDTH = 0.99


class End(NamedTuple):
    """Where a direction enters a part of the way, or leaves it.

    Attributes:
        packets: As `Sighting.ways` holds them.
        view: When the vantage point captured.
        misses: Whether it may have missed packets of this direction: it dropped some, or its filter did.
    """

    packets: "array[int]"
    view: View
    misses: bool


def crossed(
    enter: End,
    leave: End,
    beyond: "Sequence[array[int]]",
    ahead: Bounds,
    resets: Sequence[Container[int]],
    *,
    tcp: bool,
) -> Way:
    """What happened on the way.

    Args:
        enter: Where packets come first.
        leave: Where they come next.
        beyond: Packets of the direction at each stop behind that: what is there took another way to it.
        ahead: How far the clock of `leave` is ahead of that of `enter`.
        resets: Sequence numbers of every RST, in whatever connection, at `enter` and at each stop before.
        tcp: Whether it is TCP.
    """
    both = same(enter.packets, leave.packets)
    times = took(enter.packets, leave.packets, both)
    if tcp and len(both) * FIELDS != len(enter.packets):
        times += stretched(enter.packets, leave.packets, both)
    low, high = _known(ahead)
    shift, slack = (low + high) // 2, (high - low) // 2
    late = max(0, max(times, default=0) - shift)
    judged, missing = 0, list[Packet]()
    if not leave.misses:
        begin, end = leave.view.inside(slack, slack + late)
        judged = sum(begin <= time + shift <= end for time in enter.packets[::FIELDS])
        if len(both) * FIELDS != len(enter.packets):
            missing = [
                packet
                for packet in _nowhere(enter.packets, [leave.packets, *beyond], tcp=tcp)
                if begin <= packet.time + shift <= end
            ]
    made = [] if enter.misses or not tcp else _made(enter, leave, -shift, slack + late, resets)
    return Way(
        judged,
        len(missing),
        missing[0].frame if missing else None,
        _delay(times, ahead) if times else None,
        made[0].frame if made else None,
        len(made),
    )


def _nowhere(enter: "array[int]", further: "Sequence[array[int]]", *, tcp: bool) -> list[Packet]:
    """Packets that entered, and are at no stop further on."""
    missing = list(packets(enter))
    for there in further:
        gone = {packet.frame for packet in lost(packets(enter), packets(there), tcp=tcp)} if missing else ()
        missing = [packet for packet in missing if packet.frame in gone]
    return missing


def _known(ahead: Bounds) -> tuple[int, int]:
    """Both bounds; a missing one is as the other, and without any the clocks are taken for the same."""
    low, high = ahead
    if low is None:
        return (high or 0, high or 0)
    return (low, low if high is None else high)


def _made(enter: End, leave: End, shift: int, slack: int, resets: Sequence[Container[int]]) -> list[Packet]:
    """Each RST that left without having entered."""
    if not any_flag(leave.packets, RST):
        return []
    begin, end = enter.view.inside(slack, slack)
    return [
        packet
        for packet in packets(leave.packets)
        if packet.flags & RST
        and begin <= packet.time + shift <= end
        and not any(packet.sequence in seen for seen in resets)
    ]


def _delay(times: list[int], ahead: Bounds) -> Delay:
    ordered = sorted(times)
    median = ordered[(len(ordered) - 1) // 2]
    longest = ordered[min(len(ordered) - 1, int(len(ordered) * _HUNDREDTH))]
    return Delay(len(ordered), _between(median, ahead), _between(longest, ahead))


def _between(time: int, ahead: Bounds) -> tuple[int, int | None]:
    """How long one took truly, at least and at most."""
    low, high = ahead
    return (0 if high is None else max(0, time - high), None if low is None else max(0, time - low))


def least(enter: "array[int]", leave: "array[int]") -> tuple[int, int] | None:
    """The shortest time a packet seemed to take, and of how many; None when none was recognised."""
    times = took(enter, leave, same(enter, leave))
    return (min(times), len(times)) if times else None
