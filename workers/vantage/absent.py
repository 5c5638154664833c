"""Connections that left a vantage point for another and never came there. Pure.

Said only of what had to be seen there: the pod that has the address, or all pods behind the Service's; while
it captured, for a second more; with a filter that let it through and nothing dropped. What was answered by
anything but a reset came there all the same, past the tap.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from workers.names.snapshot import Snapshot
from workers.summary.endpoint import Endpoint
from workers.vantage.clocks import Clocks
from workers.vantage.connection import Connection, Seen
from workers.vantage.order import Owners
from workers.vantage.passage import Passage, Stop
from workers.vantage.sighting import RST, SYN, TCP, Packet
from workers.vantage.stop import stop_of
from workers.vantage.vantage import Vantage
from workers.vantage.view import View, lets_through

_PATIENCE = 1_000_000_000
"""Nanoseconds that a packet may take; what is so late is not waited for by a SYN either."""


class Absence(NamedTuple):
    """A connection that was seen up to one stop, and not where it was going.

    Attributes:
        protocol: Whose connection.
        stop: The last one.
        before: Those before it, the nearest to the client first.
        awaited: Numbers of the vantage points one of which it should have come to.
        next: Number of the next vantage point of others on the same way, itself one of `awaited` or before.
        packets: How many of the client never came.
        syns: How many of those were SYNs.
        frame: The first of them.
        reset_frame: An RST that came back to the stop all the same.
    """

    protocol: str
    stop: Stop
    before: tuple[Stop, ...]
    awaited: tuple[int, ...]
    next: int
    packets: int
    syns: int
    frame: int
    reset_frame: int | None


class World(NamedTuple):
    """What is known of all vantage points.

    Attributes:
        vantages: By their numbers.
        views: When each captured.
        clocks: How far they are apart.
        owners: Where the pod that has an address was captured.
        blind: Those that see no packets to their pod.
    """

    vantages: Sequence[Vantage]
    views: Sequence[View]
    clocks: Clocks
    owners: Owners
    blind: frozenset[int]


def absences(
    connections: Sequence[Connection], world: World, passages: Iterable[Passage], snapshot: Snapshot
) -> list[Absence]:
    """All of them.

    Args:
        connections: All, stops in order.
        world: What is known of the vantage points.
        passages: Of those with several stops.
        snapshot: Of the cluster, for what is behind a Service.
    """
    looking = _Looking(connections, world, passages, snapshot)
    return [found for each in connections if (found := looking.absence(each)) is not None]


class _Looking:
    def __init__(
        self,
        every: Sequence[Connection],
        world: World,
        passages: Iterable[Passage],
        snapshot: Snapshot,
    ) -> None:
        self._vantages, self._views, self._clocks = world.vantages, world.views, world.clocks
        self._owners, self._blind = world.owners, world.blind
        self._services = _services(snapshot)
        self._begun: set[tuple[int, int]] = {
            (seen.sighting.vantage, seen.sighting.begun)
            for connection in every
            for seen in connection
            if seen.sighting.begun is not None
        }
        self._ways: dict[tuple[int, int], int] = {}
        for passage in passages:
            numbers = [stop.vantage for stop in passage.stops]
            for place, number in enumerate(numbers[:-1]):
                for later in numbers[place + 1 :]:
                    self._ways.setdefault((number, later), numbers[place + 1])

    def absence(self, connection: Connection) -> Absence | None:
        """Whether it never came where it was going."""
        last = connection[-1]
        stop = stop_of(last)
        if not stop.forward:
            return None
        awaited, behind_service = self._awaited(stop.server)
        at = {seen.sighting.vantage for seen in connection}
        if not awaited or not at.isdisjoint(awaited) or not self._blind.isdisjoint(awaited):
            return None
        back = list(last.packets(forward=False))
        if any(not packet.flags & RST for packet in back):
            return None
        if not all(self._views[each].saw for each in awaited) and (back or last.sighting.protocol != TCP):
            return None  # perhaps the tap sees nothing at all
        patience = 0 if back else _PATIENCE
        sent = [
            packet
            for packet in last.packets(forward=True)
            if all(
                self._had_to_be_seen(last, packet, each, patience, rewritten=behind_service)
                for each in awaited
            )
        ]
        if not sent or not _recognisable(last, sent):
            return None
        return Absence(
            last.sighting.protocol,
            stop,
            tuple(map(stop_of, connection[:-1])),
            awaited,
            self._next(stop.vantage, awaited[0]),
            len(sent),
            sum(bool(packet.flags & SYN) for packet in sent) if last.sighting.protocol == TCP else 0,
            sent[0].frame,
            back[0].frame if back else None,
        )

    def _next(self, near: int, awaited: int) -> int:
        """The next vantage point on the way, if it would have seen it."""
        found = self._ways.get((near, awaited), awaited)
        vantage = self._vantages[found]
        passes = lets_through(self._vantages[near], vantage, some=False, rewritten=False)
        return found if passes and not vantage.dropped else awaited

    def _awaited(self, server: Endpoint) -> tuple[tuple[int, ...], bool]:
        """Where it should come, and whether its destination is rewritten before."""
        if server.address in self._owners:
            return (self._owners[server.address],), False
        addresses = self._services.get((server.address, server.port), ())
        if not addresses or any(each not in self._owners for each in addresses):
            return (), False
        return tuple(dict.fromkeys(self._owners[each] for each in addresses)), True

    def _had_to_be_seen(
        self, last: Seen, packet: Packet, number: int, patience: int, *, rewritten: bool
    ) -> bool:
        near, far = self._vantages[last.sighting.vantage], self._vantages[number]
        if far.dropped or not lets_through(near, far, some=False, rewritten=rewritten):
            return False
        begun = last.sighting.begun
        if begun is not None and (number, begun) in self._begun:
            return False  # it may be that one
        low, high = self._clocks.ahead(near.node, far.node)
        low, high = (low or high or 0), (high or low or 0)
        slack = high - low
        return self._views[number].holds(packet.time + low, 0, slack + patience)


def _recognisable(last: Seen, sent: Sequence[Packet]) -> bool:
    """Whether it would have been recognised under other addresses, too."""
    if last.sighting.protocol == TCP:
        return True
    return all(packet.said or packet.identity for packet in sent)


def _services(snapshot: Snapshot) -> Mapping[tuple[str, int], tuple[str, ...]]:
    """Addresses of the endpoints behind each address and port of a Service."""
    endpoints: dict[tuple[str, str], list[str]] = defaultdict(list)
    for piece in snapshot.slices:
        endpoints[piece.namespace, piece.service] += piece.addresses
    nodes = [address for node in snapshot.nodes for address in node.addresses]
    return {
        place: tuple(endpoints[service.namespace, service.name])
        for service in snapshot.services
        for place in _places(
            service.addresses, [(each.number, each.node_port) for each in service.ports], nodes
        )
    }


def _places(
    addresses: Iterable[str], ports: Sequence[tuple[int, int]], nodes: Sequence[str]
) -> Iterator[tuple[str, int]]:
    for number, node_port in ports:
        yield from ((address, number) for address in addresses)
        if node_port:
            yield from ((address, node_port) for address in nodes)
