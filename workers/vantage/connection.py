"""Which sightings are of one connection, whatever its addresses were at each. Pure.

TCP is recognised by the sequence numbers that both ends began with; where the answer was not seen, by the
first one and the SYN's timestamp and IP identification; where its beginning was not, by pairs of sequence and
acknowledgement number. No NAT changes them. UDP and ICMP's echo are recognised by what their packets carry,
their lengths and IP identifications: one packet is enough where an end has the same address at both places,
otherwise two. What could be several connections is not joined: scanners begin all of theirs alike.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from workers.vantage.sighting import FIELDS, RST, SYN, TCP, Packet, Sighting

_TOKENS, _FEWEST, _ALL_TOKENS = 64, 4, 1_000_000
"""Packets of each direction by which a connection without a beginning is looked for, at most and at least;
and how many of them for all such connections together."""

_MOST_AT_ONE = 3
"""Stops that one connection can have at one vantage point: before, between and after two rewritings."""


class Seen(NamedTuple):
    """One sighting as a part of a connection; `client` is the end of it (0 or 1) that is the client."""

    sighting: Sighting
    client: int

    def packets(self, *, forward: bool) -> Iterator[Packet]:
        """Those of the client, or of the server."""
        return self.sighting.packets(self.client if forward else 1 - self.client)

    def number(self, *, forward: bool) -> int:
        """How many of the client, or of the server."""
        return self.sighting.count(self.client if forward else 1 - self.client)


Connection = list[Seen]
"""What was seen of one connection; of most, one sighting."""


def connections(found: Sequence[Sighting]) -> list[Connection]:
    """All connections, in the order of their first packets."""
    joined = _Joined(found)
    tcp = [number for number, each in enumerate(found) if each.protocol == TCP]
    _join_by_beginnings(found, tcp, joined)
    _join_by_numbers(found, tcp, joined)
    _join_by_contents(found, [n for n, each in enumerate(found) if each.protocol != TCP], joined)
    groups: dict[int, list[int]] = defaultdict(list)
    for number in range(len(found)):
        groups[joined.root(number)[0]].append(number)
    return [each for members in groups.values() for each in _connections(found, members, joined)]


class _Joined:
    """Union-find over sightings, that also knows which of their ends are the same."""

    def __init__(self, found: Sequence[Sighting]) -> None:
        self._above = list(range(len(found)))
        self._turned = [0] * len(found)

    def root(self, number: int) -> tuple[int, int]:
        """What stands for a sighting's connection, and whether its ends are the other way round there."""
        turned, at = 0, number
        while self._above[at] != at:
            turned ^= self._turned[at]
            at = self._above[at]
        if at != number:
            self._above[number], self._turned[number] = at, turned
        return at, turned

    def join(self, one: int, other: int, turned: int) -> None:
        """They are of one connection; `turned` when one's first end is the other's second."""
        (above, mine), (below, its) = self.root(one), self.root(other)
        if above == below:
            return
        if below < above:
            above, below = below, above
        self._above[below], self._turned[below] = above, mine ^ its ^ turned


def _join_by_beginnings(found: Sequence[Sighting], tcp: Iterable[int], joined: _Joined) -> None:
    whole: dict[tuple[int, int], int] = {}
    asked: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    begun: Counter[tuple[int, int]] = Counter()
    for number in tcp:
        each = found[number]
        if each.begun is None or each.opener is None:
            continue
        if each.answered is not None:
            other = whole.setdefault((each.begun, each.answered), number)
            joined.join(other, number, each.opener ^ (found[other].opener or 0))
        begun[each.vantage, each.begun] += 1
        for stamp, identity in each.syns:
            asked[each.begun, stamp, identity].append(number)
    # A scanner begins all its connections with one number, and of their identifications some are alike.
    scanned = {number for (_, number), times in begun.items() if times > _MOST_AT_ONE}
    for (number, stamp, identity), alike in asked.items():
        if len(alike) > 1:
            telling = bool(stamp or identity) and number not in scanned
            for one, other in _pairs(found, alike, telling=telling):
                joined.join(one, other, (found[one].opener or 0) ^ (found[other].opener or 0))


def _first(packets: Iterator[Packet], most: int) -> Iterator[Packet]:
    return (packet for _, packet in zip(range(most), packets, strict=False))


def _pairs(found: Sequence[Sighting], alike: list[int], *, telling: bool) -> Iterator[tuple[int, int]]:
    """Those that one SYN explains: all, unless they could be several connections."""
    answers = {found[each].answered for each in alike} - {None}
    if telling and len(answers) <= 1 and _few_at_each(found, alike):
        yield from ((alike[0], each) for each in alike[1:])
        return
    same: dict[tuple[bytes, bytes], int] = {}
    for each in alike:
        sighting = found[each]
        ends = sighting.ends if sighting.opener == 0 else sighting.ends[::-1]
        other = same.setdefault(ends, each)
        if other != each and found[other].answered in (None, sighting.answered):
            yield other, each


def _join_by_numbers(found: Sequence[Sighting], tcp: Sequence[int], joined: _Joined) -> None:
    """Those whose beginning was not seen, to whatever has packets with the same two numbers."""
    tokens: dict[int, list[tuple[int, int]]] = defaultdict(list)
    without = [number for number in tcp if found[number].answered is None]
    for number, way in _ways(without):
        for packet in _first(found[number].packets(way), _most(without)):
            if _tells(packet.said, packet.flags):
                tokens[packet.said].append((number, way))
    if not tokens:
        return
    for number, way in _ways(tcp):
        for said in found[number].ways[way][1::FIELDS]:
            for other, its in tokens.get(said, ()):
                joined.join(other, number, way ^ its)


def _most(numbers: Sequence[int]) -> int:
    """How many packets of each direction of so many connections stand for them."""
    return max(_FEWEST, min(_TOKENS, _ALL_TOKENS // max(1, 2 * len(numbers))))


def _ways(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    return ((number, way) for number in numbers for way in (0, 1))


def _tells(said: int, flags: int) -> bool:
    """Whether a packet's two numbers are its connection's alone."""
    return bool(said >> 32 and said & 0xFFFFFFFF) and not flags & (SYN | RST)


def _join_by_contents(found: Sequence[Sighting], others: Sequence[int], joined: _Joined) -> None:
    alike: dict[tuple[str, int, int], dict[int, int]] = defaultdict(dict)
    for number, way in _ways(others):
        for packet in _first(found[number].packets(way), _most(others)):
            if packet.said or packet.identity:
                alike[found[number].protocol, *packet.itself].setdefault(number, way)
    evidence: dict[tuple[int, int], list[int]] = defaultdict(list)
    for ways in alike.values():
        if len(ways) > 1 and _few_at_each(found, ways):
            for one, other in combinations(sorted(ways), 2):
                evidence[one, other].append(ways[one] ^ ways[other])
    for (one, other), turned in evidence.items():
        if len(turned) > 1 or _one_end_stayed(found[one], found[other], turned[0]):
            joined.join(one, other, turned[0])
    _join_those_between_the_same_ends(found, others, joined)


def _join_those_between_the_same_ends(
    found: Sequence[Sighting], others: Iterable[int], joined: _Joined
) -> None:
    same: dict[tuple[str, frozenset[bytes]], list[int]] = defaultdict(list)
    for number in others:
        same[found[number].protocol, frozenset(found[number].ends)].append(number)
    for numbers in same.values():
        for one, other in pairwise(numbers):
            turned = int(found[one].ends[0] != found[other].ends[0])
            if _alike(found[one], found[other], turned):
                joined.join(one, other, turned)


def _few_at_each(found: Sequence[Sighting], numbers: Iterable[int]) -> bool:
    """Whether no vantage point has more of them than one connection can have there."""
    counted: dict[int, int] = defaultdict(int)
    for number in numbers:
        counted[found[number].vantage] += 1
    return max(counted.values()) <= _MOST_AT_ONE


def _one_end_stayed(one: Sighting, other: Sighting, turned: int) -> bool:
    return any(one.ends[end] == other.ends[end ^ turned] for end in (0, 1))


def _alike(one: Sighting, other: Sighting, turned: int) -> bool:
    """Whether some packet is the same at both."""
    return any(
        not {p.itself for p in _first(one.packets(way), _TOKENS)}.isdisjoint(
            p.itself for p in _first(other.packets(way ^ turned), _TOKENS)
        )
        for way in (0, 1)
    )


def _connections(found: Sequence[Sighting], members: list[int], joined: _Joined) -> Iterator[Connection]:
    """The connection of sightings that were joined; each for itself where that cannot be one."""
    turned = {number: joined.root(number)[1] for number in members}
    if not _few_at_each(found, members):
        yield from ([Seen(found[number], _client(found, [number], {number: 0}))] for number in members)
        return
    client = _client(found, members, turned)
    yield [Seen(found[number], client ^ turned[number]) for number in members]


def _client(found: Sequence[Sighting], members: list[int], turned: Mapping[int, int]) -> int:
    """Which end of the connection is the client: the opener, else the one whose port is higher."""
    for number in members:
        opener = found[number].opener
        if opener is not None:
            return opener ^ turned[number]
    first, second = found[members[0]].ends
    return int(first[-2:] < second[-2:]) ^ turned[members[0]]
