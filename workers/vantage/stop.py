"""From a sighting to the stop that a passage tells of. Pure."""

from collections.abc import Iterator

from workers.vantage.connection import Seen
from workers.vantage.order import endpoint
from workers.vantage.passage import Stop
from workers.vantage.sighting import Sighting


def end_of(seen: Seen, *, server: bool) -> bytes:
    """The client's end, or the server's."""
    return seen.sighting.ends[1 - seen.client if server else seen.client]


def stop_of(seen: Seen) -> Stop:
    """What is told of it."""
    sighting = seen.sighting
    firsts = [packet for way in (0, 1) for packet in _first(sighting, way)]
    first = min(firsts, key=lambda packet: packet[1])
    return Stop(
        sighting.vantage,
        endpoint(end_of(seen, server=False)),
        endpoint(end_of(seen, server=True)),
        first[1],
        first[0],
        seen.number(forward=True),
        seen.number(forward=False),
        sighting.tunnelled,
    )


def _first(sighting: Sighting, way: int) -> Iterator[tuple[int, int]]:
    """Time and frame."""
    packets = sighting.ways[way]
    if packets:
        yield packets[0], packets[3]
