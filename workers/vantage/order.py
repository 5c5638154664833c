"""In which order a connection passes its stops, from the client to the server. Pure.

A pod that has the client's address or the server's is an end. Elsewhere each router lowers the time to live.
Where none is between two stops, the times tell: a packet that went there and one that came back show together
which stop was first, however far two clocks are apart.
"""

from array import array
from functools import cmp_to_key
from statistics import median_low

from workers.summary.endpoint import Endpoint
from workers.vantage.connection import Connection, Seen
from workers.vantage.same import same, took
from workers.vantage.sighting import FIELDS, Packet


def endpoint(end: bytes) -> Endpoint:
    """From an end of a sighting."""
    return Endpoint.packed(end[:-2], int.from_bytes(end[-2:], "big"))


def packets(seen: Seen, *, forward: bool) -> "array[int]":
    """The client's, or the server's."""
    return seen.sighting.ways[seen.client if forward else 1 - seen.client]


Owners = dict[str, int]
"""The vantage point at which the pod that has an address was captured."""


def ordered(connection: Connection, owners: Owners) -> Connection:
    """The stops of a connection from its client's side to its server's."""

    def nearer(one: Seen, other: Seen) -> int:
        return _nearer(one, other, owners)

    return sorted(connection, key=cmp_to_key(nearer))


def _nearer(one: Seen, other: Seen, owners: Owners) -> int:
    """Negative where `one` is nearer to the client."""
    place = _place(one, owners) - _place(other, owners)
    if place:
        return place
    ways = [(packets(one, forward=True), packets(other, forward=True))]
    ways.append((packets(other, forward=False), packets(one, forward=False)))
    found = [(enter, leave, same(enter, leave)) for enter, leave in ways]
    for enter, leave, both in found:
        if both:
            entered, left = (
                Packet(*way[at : at + FIELDS]).hops for way, at in zip((enter, leave), both[0], strict=True)
            )
            if entered != left:
                return -1 if entered > left else 1
    usual = sum(median_low(took(*each)) for each in found if each[2])
    return -1 if usual > 0 else int(usual < 0)


def _place(seen: Seen, owners: Owners) -> int:
    client, server = (endpoint(seen.sighting.ends[end]).address for end in (seen.client, 1 - seen.client))
    vantage = seen.sighting.vantage
    return int(owners.get(server) == vantage) - int(owners.get(client) == vantage)
