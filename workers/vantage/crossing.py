"""One direction of a connection between two neighbouring stops: losses, delays, resets. Pure."""

from array import array
from collections.abc import Container
from typing import NamedTuple

from workers.vantage.clocks import Bounds
from workers.vantage.lost import lost
from workers.vantage.passage import Delay, Way
from workers.vantage.same import Both, same
from workers.vantage.sighting import RST, Packet
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


def crossed(enter: End, leave: End, ahead: Bounds, resets: Container[int], *, tcp: bool) -> Way:
    """What happened on the way.

    Args:
        enter: Where packets come first.
        leave: Where they come next.
        ahead: How far the clock of `leave` is ahead of that of `enter`.
        resets: Sequence numbers of every RST that the vantage point of `enter` saw, in whatever connection.
        tcp: Whether it is TCP.
    """
    both = same(enter.packets, leave.packets)
    low, high = _known(ahead)
    shift, slack = (low + high) // 2, (high - low) // 2
    late = max([0, *(each.took - shift for each in both)])
    judged, missing = 0, []
    if not leave.misses:
        near = [
            packet
            for packet in _packets(enter.packets)
            if leave.view.holds(packet.time + shift, slack, slack + late)
        ]
        judged = len(near)
        missing = _missing(enter.packets, leave.packets, {packet.frame for packet in near}, tcp=tcp)
    made = [] if enter.misses or not tcp else _made(enter, leave, -shift, slack + late, resets)
    return Way(
        judged,
        len(missing),
        missing[0].frame if missing else None,
        _delay(both, ahead) if both else None,
        made[0].frame if made else None,
        len(made),
    )


def _packets(four: "array[int]") -> list[Packet]:
    each = iter(four)
    return list(map(Packet, each, each, each, each))


def _known(ahead: Bounds) -> tuple[int, int]:
    """Both bounds; a missing one is as the other, and without any the clocks are taken for the same."""
    low, high = ahead
    if low is None:
        return (high or 0, high or 0)
    return (low, low if high is None else high)


def _missing(enter: "array[int]", leave: "array[int]", judged: Container[int], *, tcp: bool) -> list[Packet]:
    if not leave:
        return [packet for packet in _packets(enter) if packet.frame in judged]
    found = lost(_packets(enter), _packets(leave), tcp=tcp)
    return [packet for packet in found if packet.frame in judged]


def _made(enter: End, leave: End, shift: int, slack: int, resets: Container[int]) -> list[Packet]:
    """Each RST that left without having entered."""
    return [
        packet
        for packet in _packets(leave.packets)
        if packet.flags & RST
        and packet.sequence not in resets
        and enter.view.holds(packet.time + shift, slack, slack)
    ]


def _delay(both: list[Both], ahead: Bounds) -> Delay:
    took = sorted(each.took for each in both)
    median = took[(len(took) - 1) // 2]
    longest = took[min(len(took) - 1, int(len(took) * _HUNDREDTH))]
    return Delay(len(took), _between(median, ahead), _between(longest, ahead))


def _between(took: int, ahead: Bounds) -> tuple[int, int | None]:
    """How long it took truly, at least and at most."""
    low, high = ahead
    return (0 if high is None else max(0, took - high), None if low is None else max(0, took - low))


def least(enter: "array[int]", leave: "array[int]") -> tuple[int, int] | None:
    """The shortest time a packet seemed to take, and of how many; None when none was recognised."""
    both = same(enter, leave)
    return (min(each.took for each in both), len(both)) if both else None
