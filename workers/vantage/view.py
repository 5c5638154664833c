"""What a vantage point could see: when it captured, and what its filter let through. Pure."""

import re
from typing import NamedTuple

from workers.vantage.vantage import Vantage

EDGE = 50_000_000
"""Nanoseconds at the beginning and the end of a capture in which nothing is said to be missing from it."""

UNREAD = 1_200_000_000
"""Nanoseconds of packets that the kernel may still hold when tcpdump is ended: it hands them over in blocks,
once a second at least (packet(7), TPACKET_V3; tcpdump's read timeout)."""

# What a filter says of single packets, so that of one connection it may take some and leave others.
_OF_PACKETS = re.compile(r"\[|\b(less|greater|len)\b|[<>]")
# What differs from place to place for the same packet.
_OF_PLACES = re.compile(
    r"\b(ether|vlan|mpls|pppoes|geneve|wlan|link|inbound|outbound|ifname|on|rnr|broadcast|multicast)\b"
    r"|\b(ip6?|ether|link) *\["
)


class View(NamedTuple):
    """When a vantage point captured, in nanoseconds since 1970 by its node's clock.

    Attributes:
        begin: From when on; likewise `end`.
        saw: Whether there is any packet of it.
    """

    begin: int
    end: int
    saw: bool

    @classmethod
    def of(cls, vantage: Vantage, first: int | None, last: int | None) -> "View":
        """The view of a vantage point whose packets came between `first` and `last`."""
        begin = vantage.began or first or 0
        # Up to its last packet all were read; where it came long before the end, all but what was held still.
        ended = 0 if vantage.ended is None else vantage.ended - UNREAD
        return cls(begin, max(ended, last or 0), last is not None)

    def until(self, *times: int | None) -> "View":
        """The same as far as packets are held: to the first of these times, where there is any."""
        return self._replace(end=min([self.end, *(time for time in times if time is not None)]))

    def inside(self, early: int = 0, late: int = 0) -> tuple[int, int]:
        """From when to when no packet was missed that can be `early` or `late` by so much."""
        return self.begin + EDGE + early, self.end - EDGE - late

    def holds(self, time: int, early: int = 0, late: int = 0) -> bool:
        """Whether it captured at that time, `early` before it and `late` after it, with some to spare."""
        begin, end = self.inside(early, late)
        return begin <= time <= end


def lets_through(near: Vantage, far: Vantage, *, some: bool, rewritten: bool) -> bool:
    """Whether packets of one direction of a connection that `near` captured pass the filter of `far`.

    Args:
        near: Where they were seen.
        far: Where they might be seen.
        some: Whether `far` saw any of that direction.
        rewritten: Whether their addresses are others there.
    """
    if not far.filter:
        return True
    if far.filter == near.filter and not rewritten:
        return not _OF_PLACES.search(far.filter) and not re.search(r"\b(less|greater|len)\b", far.filter)
    return some and not _OF_PACKETS.search(far.filter) and not _OF_PLACES.search(far.filter)
