"""What one client did at one door of a Service, counted: little, however many taps there are. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from workers.summary.endpoint import Endpoint


class Visit(NamedTuple):
    """One connection from a port of the client; `start` as in `Visits.first`, 0 when it was open before."""

    port: int
    requests: int
    bytes: int
    start: int


class Visits(NamedTuple):
    """Connections of one client to one address and port, as one tap saw them.

    Attributes:
        protocol: `TCP` or `UDP`, whose conversations count as connections.
        client: Its address there; "" stands for all clients for whom there was no room.
        server: The door.
        connections: Those that were answered, without the kubelet's probes.
        unanswered: Those to which nothing came back.
        refused: Those that were answered with RST.
        probes: Those that are taken for the kubelet's probes, or for a health check: nobody said a word.
        opened: How many of `connections` began in the capture (TCP).
        first: Nanoseconds since 1970 when the first of those began; 0 when none did.
        last: Likewise the last.
        requests: HTTP requests, DNS questions and calls that were read in `connections`.
        bytes: On the wire, both ways.
        visits: Each connection, the first so many, of a client whose address may be a rewritten one.
    """

    protocol: str
    client: str
    server: Endpoint
    connections: int = 0
    unanswered: int = 0
    refused: int = 0
    probes: int = 0
    opened: int = 0
    first: int = 0
    last: int = 0
    requests: int = 0
    bytes: int = 0
    visits: tuple[Visit, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        values = self._asdict()
        values["server"] = str(self.server)
        values["visits"] = [list(each) for each in self.visits]
        defaults = self._field_defaults
        return {name: value for name, value in values.items() if value and value != defaults.get(name)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Visits":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        given = {"client": "", **value}
        given["server"] = Endpoint.parse(given["server"])
        given["visits"] = tuple(Visit(*each) for each in given.get("visits", ()))
        return cls(**given)
