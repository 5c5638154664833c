"""What findings between vantage points are made of, and the words that they share. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from workers.names.names import Names
from workers.summary.findings import filters, wording
from workers.vantage.absent import Absence
from workers.vantage.comparison import Offset
from workers.vantage.passage import Passage, Stop
from workers.vantage.vantage import Vantage

_SHOWN = 5
"""Connections that a filter names: each stands there once for every stop."""

_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000


class Between(NamedTuple):
    """All that a finding can be made of."""

    vantages: tuple[Vantage, ...]
    offsets: tuple[Offset, ...]
    passages: tuple[Passage, ...]
    absences: tuple[Absence, ...]
    names: Names

    def vantage(self, number: int) -> str:
        """Its name, between backticks."""
        return wording.quoted(self.vantages[number].name)

    def node(self, number: int) -> str:
        """That of the node of a vantage point."""
        return wording.quoted(self.vantages[number].node)

    def one_node(self, near: int, far: int) -> bool:
        """Whether two vantage points are on one node."""
        return self.vantages[near].node == self.vantages[far].node

    def where(self, near: int, far: int) -> str:
        """`on node A`, or `on the way from node A to node B`."""
        if self.one_node(near, far):
            return f"on node {self.node(near)}"
        return f"on the way from node {self.node(near)} to node {self.node(far)}"


def shown(frame: int, protocol: str, stops: Iterable[Stop]) -> str:
    """A display filter: from a frame on, the packets of connections at the stops."""
    places: dict[int, list[Stop]] = {}
    for stop in stops:
        at = places.setdefault(stop.vantage, [])
        if len(at) < _SHOWN:
            at.append(stop)
    alike: dict[str, list[int]] = {}
    for number, at in places.items():
        alike.setdefault(_connections(protocol, at), []).append(number)
    at_each = [f"{_interfaces(numbers)} && {connections}" for connections, numbers in alike.items()]
    either = at_each[0] if len(at_each) == 1 else f"({' || '.join(f'({each})' for each in at_each)})"
    return filters.from_frame(frame, either)


def _interfaces(numbers: list[int]) -> str:
    either = " || ".join(f"frame.interface_id == {number}" for number in numbers)
    return either if len(numbers) == 1 else f"({either})"


def _connections(protocol: str, stops: list[Stop]) -> str:
    pairs = [(stop.client, stop.server) for stop in stops]
    if protocol != "ICMP":
        return f"({filters.connections(pairs, protocol.lower())})"
    either = dict.fromkeys(_echoes(stop) for stop in stops)
    return f"({' || '.join(either)})"


def _echoes(stop: Stop) -> str:
    identity = "icmpv6.echo.identifier" if ":" in stop.client.address else "icmp.ident"
    ends = f"{filters.address(stop.client.address)} && {filters.address(stop.server.address)}"
    return f"({ends} && {identity} == {stop.client.port})"


def span(nanoseconds: int) -> str:
    """`0.4 ms`, `52 ms`, `3.2 s`."""
    if abs(nanoseconds) >= _SECOND:
        return f"{nanoseconds / _SECOND:.3g} s"
    return f"{nanoseconds / _MILLISECOND:.3g} ms"
