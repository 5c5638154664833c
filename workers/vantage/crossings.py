"""From connections whose stops are in order to passages, with what is known of all vantage points. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from workers.summary.findings.wording import quoted, some
from workers.vantage.clocks import Clocks
from workers.vantage.connection import Connection, Seen
from workers.vantage.crossing import End, crossed
from workers.vantage.order import packets
from workers.vantage.passage import Passage, Segment, Way
from workers.vantage.sighting import ACK, TCP
from workers.vantage.sighting import packets as of_way
from workers.vantage.stop import end_of, stop_of
from workers.vantage.vantage import Vantage
from workers.vantage.view import View, lets_through

_HALF, _WHOLE = 1 << 31, 1 << 32


class Crossings:
    """Tells of each connection what happened between its stops."""

    def __init__(
        self,
        vantages: Sequence[Vantage],
        views: Sequence[View],
        clocks: Clocks,
        resets: Mapping[int, set[int]],
        passing: Iterable[Connection],
    ) -> None:
        """Takes what is known of all.

        Args:
            vantages: By their numbers.
            views: When each captured.
            clocks: How far apart they are.
            resets: Sequence numbers of each RST, by vantage point.
            passing: All connections with several stops.
        """
        self._vantages, self._views, self._clocks, self._resets = vantages, views, clocks, resets
        self._carried = set(_carried(passing))
        self._filtered: dict[int, None] = {}
        self._dropping: dict[int, None] = {}

    def passage(self, connection: Connection) -> Passage:
        """Of a connection whose stops are in order."""
        segments = [
            Segment(
                end_of(near, server=False) != end_of(far, server=False),
                end_of(near, server=True) != end_of(far, server=True),
                self._way(connection[: place + 1][::-1], connection[place + 1 :], forward=True),
                self._way(connection[place + 1 :], connection[: place + 1][::-1], forward=False),
            )
            for place, (near, far) in enumerate(pairwise(connection))
        ]
        return Passage(connection[0].sighting.protocol, tuple(map(stop_of, connection)), tuple(segments))

    def _way(self, before: Sequence[Seen], behind: Sequence[Seen], *, forward: bool) -> Way:
        """One direction between the first stops of both; the others are those further away."""
        enter, leave = before[0], behind[0]
        if not packets(enter, forward=forward) and not packets(leave, forward=forward):
            return Way()
        one, other = enter.sighting.vantage, leave.sighting.vantage
        return crossed(
            self._end(enter, leave, forward=forward),
            self._end(leave, enter, forward=forward, came=True),
            [packets(each, forward=forward) for each in behind[1:]],
            self._clocks.ahead(self._vantages[one].node, self._vantages[other].node),
            [self._resets.get(each.sighting.vantage, frozenset()) for each in before],
            tcp=enter.sighting.protocol == TCP,
        )

    def _end(self, at: Seen, there: Seen, *, forward: bool, came: bool = False) -> End:
        """A stop as an end of a part of the way; `came` for where packets of the direction leave it."""
        vantage, other = (self._vantages[each.sighting.vantage] for each in (at, there))
        mine, its = packets(at, forward=forward), packets(there, forward=forward)
        rewritten = any(end_of(at, server=server) != end_of(there, server=server) for server in (False, True))
        past = came and bool(its) and not mine and self._went_past(at, there, its, forward=forward)
        filtered = not lets_through(other, vantage, some=bool(mine), rewritten=rewritten)
        if came and its and filtered:
            self._filtered[vantage.number] = None
        if came and its and vantage.dropped:
            self._dropping[vantage.number] = None
        return End(mine, self._views[vantage.number], bool(vantage.dropped) or filtered or past)

    def notes(self) -> list[str]:
        """What could not be told of those so far."""
        reasons = (
            (self._filtered, "a filter there lets through only a part of them"),
            (self._dropping, "the kernel dropped packets there"),
        )
        return [
            f"Whether packets were lost on the way to {self._some(numbers)} cannot be told: {why}."
            for numbers, why in reasons
            if numbers
        ]

    def _some(self, numbers: Iterable[int]) -> str:
        named = Counter(quoted(self._vantages[number].name) for number in numbers)
        return some(named, numbers=False)

    def _went_past(self, at: Seen, there: Seen, sent: "array[int]", *, forward: bool) -> bool:
        """Whether a direction of which nothing is here may have taken another way: routes, datapaths.

        TCP says so by what the other end acknowledges; of others it is known where any connection passed.
        """
        if at.sighting.protocol == TCP:
            return _acknowledged(sent, packets(at, forward=not forward))
        return (there.sighting.vantage, at.sighting.vantage) not in self._carried


def _carried(passing: Iterable[Connection]) -> Iterable[tuple[int, int]]:
    """Pairs of vantage points between which packets passed, in their direction."""
    for connection in passing:
        for near, far in pairwise(connection):
            one, other = near.sighting.vantage, far.sighting.vantage
            if packets(near, forward=True) and packets(far, forward=True):
                yield one, other
            if packets(near, forward=False) and packets(far, forward=False):
                yield other, one


def _acknowledged(sent: "array[int]", answers: "array[int]") -> bool:
    first = sent[1] >> 32
    return any(
        packet.flags & ACK and 0 < ((packet.said & 0xFFFFFFFF) - first) % _WHOLE < _HALF
        for packet in of_way(answers)
    )
