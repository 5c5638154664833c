"""Comparing what the vantage points of one capture saw: from the merged file to a `Comparison`. Pure.

One pass over the file (`sightings`), then connection by connection: which sightings are of one
(`connection`), in which order it passed them (`order`), how far clocks are apart (`clocks`), what happened in
between (`crossing`), which connections never came where they were going (`absent`), and what that means
(`findings`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.pcapng.own_file import OwnFile, OwnFileError
from workers.pod_logs.moment import clock
from workers.summary.files.packets import Source
from workers.thread.words import count
from workers.vantage.absent import Absence, World, absences
from workers.vantage.clocks import Clocks
from workers.vantage.comparison import Absent, Comparison
from workers.vantage.connection import Connection, connections
from workers.vantage.crossing import least
from workers.vantage.crossings import Crossings
from workers.vantage.findings.between import Between
from workers.vantage.findings.explained import explained
from workers.vantage.findings.found import found
from workers.vantage.order import Owners, endpoint, ordered, packets
from workers.vantage.sighting import RST, TCP, Sighting, any_flag
from workers.vantage.sighting import packets as of_way
from workers.vantage.sightings import sightings
from workers.vantage.vantage import Vantage
from workers.vantage.view import View

MOST_PASSAGES = 50_000
"""Connections that are compared packet by packet; a flood's have few packets each, and say the same."""

_MOST_ABSENT = 500


def _never() -> bool:
    return False


def compare(
    vantages: Sequence[Vantage], merged: Source, snapshot: Snapshot, *, over: Callable[[], bool] = _never
) -> Comparison:
    """What happened between the vantage points.

    Args:
        vantages: By their numbers, one for each interface of the file.
        merged: The file as `workers.pcapng.merge` made it.
        snapshot: Of the cluster; may be empty.
        over: Whether the time to read is over: then what was read until then is compared.

    Raises:
        OwnFileError: It is another kind of file, or has other interfaces.
        OSError: Reading failed.
    """
    file = OwnFile(merged)
    seen = sightings(file.packets(), file.interfaces, len(vantages), over)
    if len(file.interfaces) != len(vantages):
        raise OwnFileError
    # Whoever took the capture over knows no other: a filter that is not known would be taken for none.
    vantages = [
        replace(vantage, filter=vantage.filter or interface.filter)
        for vantage, interface in zip(vantages, file.interfaces, strict=True)
    ]
    views = [View.of(*each).until(seen.until) for each in zip(vantages, seen.first, seen.last, strict=True)]
    owners = _owners(vantages, snapshot)
    every = [ordered(each, owners) for each in connections(seen.found)]
    passing = [each for each in every if len(each) > 1]
    followed = _longest(passing)
    clocks = _clocks(followed, vantages)
    resets = _resets(seen.found)
    crossings = Crossings(vantages, views, clocks, resets, passing)
    passages = [crossings.passage(each) for each in followed]
    passages.sort(key=lambda each: min(stop.first_frame for stop in each.stops))
    notes = crossings.notes()
    if seen.beyond:
        notes.append(
            f"{count(seen.beyond, 'packet')} were too many to be compared between the vantage points: what "
            "is said of them holds for those before."
        )
    if seen.early:
        notes.append(
            "Comparing the vantage points takes too long: what is said of them holds for what was captured "
            f"before {clock(seen.until or 0)} UTC. A filter, or less time, gives fewer packets."
        )
    if len(followed) < len(passing):
        notes.append(
            f"Of {len(passing):,} connections that passed several vantage points the {len(followed):,} with "
            "the most packets were compared; what is said does not count the others."
        )
    offsets = clocks.offsets()
    views = [view.until(seen.crowded) for view in views]
    world = World(vantages, views, clocks, owners, _blind(seen.found, owners))
    missing = absences(every, world, passages, snapshot)
    between = Between(tuple(vantages), offsets, tuple(passages), tuple(missing), Names(snapshot))
    return Comparison(
        tuple(vantages),
        offsets,
        tuple(passages),
        len(passing),
        findings=found(between),
        explained=explained(missing, passages),
        absent=tuple(map(_absent, missing[:_MOST_ABSENT])),
        notes=tuple(notes),
    )


def _absent(missing: Absence) -> Absent:
    stop = missing.stop
    refused = missing.reset_frame is not None
    return Absent(missing.protocol, stop.client, stop.server, missing.awaited, refused)


def _longest(passing: Sequence[Connection]) -> Sequence[Connection]:
    """Those with the most packets, in the same order, where there are too many."""
    if len(passing) <= MOST_PASSAGES:
        return passing
    sizes = [sum(len(way) for each in one for way in each.sighting.ways) for one in passing]
    longest = sorted(range(len(passing)), key=lambda number: -sizes[number])[:MOST_PASSAGES]
    return [passing[number] for number in sorted(longest)]


def _owners(vantages: Sequence[Vantage], snapshot: Snapshot) -> Owners:
    """Whose an address is: the pod's that has it alone, and not a node's, as those in its network have."""
    shared = {address for node in snapshot.nodes for address in node.own_ips}
    shared |= {address for each in vantages if each.kind == "uplink" for address in each.addresses}
    owners: Owners = {}
    for vantage in vantages:
        for address in vantage.addresses if vantage.kind == "pod" else ():
            if address in owners:
                shared.add(address)
            owners[address] = vantage.number
    return {address: number for address, number in owners.items() if address not in shared}


def _blind(found: Iterable[Sighting], owners: Owners) -> frozenset[int]:
    """Pods whose tap saw packets, and none to the pod: some datapaths pass an interface one way only."""
    sent, got = set[int](), set[int]()
    for each in found:
        for end, way in enumerate(each.ways):
            if way and owners.get(endpoint(each.ends[1 - end]).address) == each.vantage:
                got.add(each.vantage)
            if way:
                sent.add(each.vantage)
    return frozenset(sent - got)


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
