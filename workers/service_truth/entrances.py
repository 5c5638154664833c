"""How each connection came in, from the passages between vantage points. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from workers.service_truth.doors import Doors, ServicePort
from workers.summary.endpoint import Endpoint
from workers.vantage.comparison import Comparison
from workers.vantage.passage import Passage, Stop
from workers.vantage.vantage import Vantage


class Entrance(NamedTuple):
    """A connection that a replica's tap saw, and that was recognised where it came to the Service.

    Attributes:
        client: Its address at the first stop.
        seen: Its end as the replica sees it.
        port: Whose front door it asked; None when it asked the replica itself.
        front: What it asked; the replica where `port` is None.
        entry: The node whose kube-proxy chose the replica; "" where that is not known, or `port` is None.
        start: When it was first seen at that door, by the clock of the node `clock`.
        frame: Its first packet there, in the merged file.
    """

    client: str
    seen: Endpoint
    port: ServicePort | None
    front: Endpoint
    entry: str
    start: int
    clock: str
    frame: int


Entrances = Mapping[tuple[int, str, Endpoint], list[Entrance]]
"""By the number of the replica's tap, the protocol, and the replica's end."""


def entrances(comparison: Comparison, doors: Doors) -> Entrances:
    """Those of all passages that end at a pod's own tap."""
    found: dict[tuple[int, str, Endpoint], list[Entrance]] = defaultdict(list)
    for passage in comparison.passages:
        last = passage.destination
        vantage = comparison.vantages[last.vantage]
        if vantage.kind == "pod" and last.server.address in vantage.addresses:
            found[last.vantage, passage.protocol, last.server].append(_entrance(passage, comparison, doors))
    return found


def _entrance(passage: Passage, comparison: Comparison, doors: Doors) -> Entrance:
    last = passage.destination
    knocks = [
        (port, stop)
        for stop in passage.stops
        if (port := doors.front(passage.protocol, stop.server)) is not None
    ]
    client = passage.origin.client.address
    if not knocks:
        first = passage.origin
        clock = comparison.vantages[first.vantage].node
        return Entrance(client, last.client, None, last.server, "", first.first, clock, first.first_frame)
    port, knock = knocks[-1]
    vantage = comparison.vantages[knock.vantage]
    clock, entry = vantage.node, _entry(knock, vantage, doors)
    return Entrance(client, last.client, port, knock.server, entry, knock.first, clock, knock.first_frame)


def _entry(knock: Stop, vantage: Vantage, doors: Doors) -> str:
    """The node that was asked by its own address, else the last one that saw the Service's address.

    What a pod sends to a load balancer may leave its node, and come in at any.
    """
    if knock.server.address in doors.nodes:
        return doors.nodes[knock.server.address]
    is_certain = vantage.kind == "uplink" or doors.is_inner(knock.server.address)
    return vantage.node if is_certain else ""
