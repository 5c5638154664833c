"""Comparing what the vantage points of one capture saw: from the merged file to a `Comparison`. Pure.

One pass over the file (`sightings`), then connection by connection: which sightings are of one
(`connection`), in which order it passed them (`order`), how far clocks are apart (`clocks`), what happened in
between (`crossing`), which connections never came where they were going (`absent`), and what that means
(`findings`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.pcapng.own_file import OwnFile, OwnFileError
from workers.summary.files.pcapfile import Source
from workers.thread.words import count
from workers.vantage.absent import absences
from workers.vantage.clocks import Clocks
from workers.vantage.comparison import Comparison
from workers.vantage.connection import Connection, Seen, connections
from workers.vantage.crossing import End, crossed, least
from workers.vantage.findings.between import Between
from workers.vantage.findings.found import found
from workers.vantage.order import ordered, packets
from workers.vantage.passage import Passage, Segment, Way
from workers.vantage.sighting import RST, TCP, Sighting, any_flag
from workers.vantage.sighting import packets as of_way
from workers.vantage.sightings import sightings
from workers.vantage.stop import end_of, stop_of
from workers.vantage.vantage import Vantage
from workers.vantage.view import View, lets_through


def compare(vantages: Sequence[Vantage], merged: Source, snapshot: Snapshot) -> Comparison:
    """What happened between the vantage points.

    Args:
        vantages: By their numbers, one for each interface of the file.
        merged: The file as `workers.pcapng.merge` made it.
        snapshot: Of the cluster; may be empty.

    Raises:
        OwnFileError: It is another kind of file, or has other interfaces.
        OSError: Reading failed.
    """
    file = OwnFile(merged)
    seen = sightings(file.packets(), file.interfaces, len(vantages))
    if len(file.interfaces) != len(vantages):
        raise OwnFileError
    views = [View.of(*each) for each in zip(vantages, seen.first, seen.last, strict=True)]
    every = [ordered(each, vantages) for each in connections(seen.found)]
    passing = [each for each in every if len(each) > 1]
    clocks = _clocks(passing, vantages)
    resets = _resets(seen.found)
    crossings = _Crossings(vantages, views, clocks, resets)
    passages = [crossings.passage(each) for each in passing]
    passages.sort(key=lambda each: min(stop.first_frame for stop in each.stops))
    notes = []
    if seen.beyond:
        notes.append(
            f"{count(seen.beyond, 'packet')} were too many to be compared between the vantage points: what "
            "is said of them holds for those before."
        )
    offsets = clocks.offsets()
    missing = absences(every, vantages, views, clocks, passages, snapshot)
    between = Between(tuple(vantages), offsets, tuple(passages), tuple(missing), Names(snapshot))
    return Comparison(tuple(vantages), offsets, tuple(passages), findings=found(between), notes=tuple(notes))


def _clocks(passing: Iterable[Connection], vantages: Sequence[Vantage]) -> Clocks:
    clocks = Clocks()
    for connection in passing:
        for near, far in pairwise(connection):
            one, other = (vantages[each.sighting.vantage].node for each in (near, far))
            if one == other or clocks.know(one, other):
                continue
            there = least(packets(near, forward=True), packets(far, forward=True))
            back = least(packets(far, forward=False), packets(near, forward=False))
            if there:
                clocks.learn(one, other, *there)
            if back:
                clocks.learn(other, one, *back)
    return clocks


def _resets(found: Iterable[Sighting]) -> Mapping[int, set[int]]:
    """Sequence numbers of each RST, by vantage point."""
    resets: dict[int, set[int]] = defaultdict(set)
    for each in found:
        for way in each.ways if each.protocol == TCP else ():
            if any_flag(way, RST):
                resets[each.vantage].update(one.sequence for one in of_way(way) if one.flags & RST)
    return resets


class _Crossings:
    """Passages of connections, with what is known of all vantage points."""

    def __init__(
        self,
        vantages: Sequence[Vantage],
        views: Sequence[View],
        clocks: Clocks,
        resets: Mapping[int, set[int]],
    ) -> None:
        self._vantages, self._views, self._clocks, self._resets = vantages, views, clocks, resets

    def passage(self, connection: Connection) -> Passage:
        """Of a connection whose stops are in order."""
        stops = tuple(stop_of(each) for each in connection)
        protocol = connection[0].sighting.protocol
        segments = tuple(self._segment(near, far) for near, far in pairwise(connection))
        return Passage(protocol, stops, segments)

    def _segment(self, near: Seen, far: Seen) -> Segment:
        source, target = (
            end_of(near, server=server) != end_of(far, server=server) for server in (False, True)
        )
        return Segment(
            source,
            target,
            self._way(near, far, forward=True, rewritten=source or target),
            self._way(far, near, forward=False, rewritten=source or target),
        )

    def _way(self, enter: Seen, leave: Seen, *, forward: bool, rewritten: bool) -> Way:
        one, other = enter.sighting.vantage, leave.sighting.vantage
        first, second = self._vantages[one], self._vantages[other]
        entering, leaving = (packets(each, forward=forward) for each in (enter, leave))
        return crossed(
            End(
                entering,
                self._views[one],
                bool(first.dropped)
                or not lets_through(second, first, some=bool(entering), rewritten=rewritten),
            ),
            End(
                leaving,
                self._views[other],
                bool(second.dropped)
                or not lets_through(first, second, some=bool(leaving), rewritten=rewritten),
            ),
            self._clocks.ahead(first.node, second.node),
            self._resets.get(one, ()),
            tcp=enter.sighting.protocol == TCP,
        )
