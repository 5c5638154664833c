"""One connection on its way past several vantage points. Pure.

Durations are nanoseconds, times nanoseconds since 1970 by the clock of the vantage point's node, frames those
of the merged file.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from workers.summary.endpoint import Endpoint

Direction = Literal["forward", "back"]
"""From the client to the server, and from the server to the client."""


Protocol = Literal["TCP", "UDP", "ICMP"]
"""`ICMP` are echo requests and their answers; their ports are the echo's id."""


class Stop(NamedTuple):
    """What one vantage point saw of the connection, under one pair of addresses.

    A node's uplink can be two stops of one connection: before and after the node rewrote its addresses.

    Attributes:
        vantage: Its number.
        client: As it appears there.
        server: Likewise.
        first_frame: The first packet there.
        first: When that was.
        forward: Packets from the client.
        back: Packets from the server.
        tunnelled: Whether the packets were inside of others (VXLAN, Geneve, GRE, IP in IP).
    """

    vantage: int
    client: Endpoint
    server: Endpoint
    first_frame: int
    first: int
    forward: int
    back: int
    tunnelled: bool = False


class Delay(NamedTuple):
    """How long packets took from one stop to the next.

    With one clock `low` and `high` are the same. With two, the truth lies between them; `high` is None where
    nothing bounds it, because packets of the other direction were not seen at both stops.

    Attributes:
        packets: How many were measured.
        median: Low and high.
        p99: Likewise; the longest of fewer than 100 packets.
    """

    packets: int
    median: tuple[int, int | None]
    p99: tuple[int, int | None]


class Way(NamedTuple):
    """One direction between two neighbouring stops.

    Attributes:
        judged: Packets seen where they entered, but those too near to the beginning or end of either capture.
        lost: How many of them were never seen where they should have left.
        lost_frame: The first of those.
        delay: None where no packet was recognised for certain.
        reset_frame: The first RST that left, but never entered: something between made it.
        resets: How many of those.
    """

    judged: int = 0
    lost: int = 0
    lost_frame: int | None = None
    delay: Delay | None = None
    reset_frame: int | None = None
    resets: int = 0


class Segment(NamedTuple):
    """What is between two neighbouring stops: the one nearer to the client, and the next.

    Attributes:
        source_rewritten: Whether the client's address or port is another behind it (SNAT).
        target_rewritten: Whether the server's is (DNAT).
        forward: From the client's side to the server's.
        back: The other way.
    """

    source_rewritten: bool
    target_rewritten: bool
    forward: Way = Way()
    back: Way = Way()

    def way(self, direction: Direction) -> Way:
        """One of the two."""
        return self.forward if direction == "forward" else self.back


class Passage(NamedTuple):
    """One connection that was recognised at two stops or more.

    Attributes:
        protocol: Whose connection.
        stops: From the client's side to the server's.
        segments: Between them: one fewer.
    """

    protocol: Protocol
    stops: tuple[Stop, ...]
    segments: tuple[Segment, ...]

    @property
    def origin(self) -> Stop:
        """The stop that shows best who the client is."""
        return self.stops[0]

    @property
    def destination(self) -> Stop:
        """The stop that shows best who answers."""
        return self.stops[-1]

    @property
    def rewritten(self) -> bool:
        """Whether any address changed on the way."""
        return any(each.source_rewritten or each.target_rewritten for each in self.segments)

    @property
    def troubled(self) -> bool:
        """Whether something was lost or reset on the way."""
        return any(way.lost or way.resets for each in self.segments for way in (each.forward, each.back))

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return {
            "protocol": self.protocol,
            "stops": [
                {**stop._asdict(), "client": str(stop.client), "server": str(stop.server)}
                for stop in self.stops
            ],
            "segments": [
                {**each._asdict(), "forward": _way_to_json(each.forward), "back": _way_to_json(each.back)}
                for each in self.segments
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Passage":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        return cls(
            value["protocol"],
            tuple(
                Stop(
                    **{
                        **stop,
                        "client": Endpoint.parse(stop["client"]),
                        "server": Endpoint.parse(stop["server"]),
                    }
                )
                for stop in value["stops"]
            ),
            tuple(
                Segment(
                    **{**each, "forward": _way(each.get("forward", {})), "back": _way(each.get("back", {}))}
                )
                for each in value["segments"]
            ),
        )


def _way_to_json(way: Way) -> dict[str, Any]:
    values = {name: value for name, value in way._asdict().items() if value != Way._field_defaults.get(name)}
    if way.delay is not None:
        values["delay"] = way.delay._asdict()
    return values


def _way(value: Mapping[str, Any]) -> Way:
    given = dict(value)
    if "delay" in given:
        delay = given["delay"]
        given["delay"] = Delay(delay["packets"], tuple(delay["median"]), tuple(delay["p99"]))
    return Way(**given)
