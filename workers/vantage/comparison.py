"""What the vantage points of one capture say together, with its form in JSON. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.vantage.passage import Passage
from workers.vantage.vantage import Vantage

VERSION = 2
"""Of the JSON form; it goes up when a reader of the one before would misread it."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the clocks of two nodes are apart, as the packets between them tell.

    Times are never corrected by it. A packet cannot arrive before it left: each direction gives one bound.

    Attributes:
        node: The clock that is compared.
        other: The clock that is ahead of it by so much.
        low: Nanoseconds that it is ahead at least; None where no packet came from `other` to `node`.
        high: Nanoseconds that it is ahead at most; None where no packet went from `node` to `other`.
        packets: How many packets say so.
    """

    node: str
    other: str
    low: int | None
    high: int | None
    packets: int

    @property
    def estimate(self) -> int | None:
        """The middle, None where one bound is missing."""
        return None if self.low is None or self.high is None else (self.low + self.high) // 2


class Explained(NamedTuple):
    """What befell connections on the way, and so not at the server that a tap alone would blame.

    Attributes:
        kind: How it looks at one tap: `unanswered`, `refused` or `reset`.
        vantage: The tap's number.
        server: As it appears there.
        connections: How many of that tap.
    """

    kind: str
    vantage: int
    server: Endpoint
    connections: int


class Absent(NamedTuple):
    """A connection, or datagrams, that never came where they were going.

    Attributes:
        protocol: `TCP`, `UDP` or `ICMP`.
        client: As it appears where it was seen last.
        server: Likewise.
        awaited: Numbers of the vantage points one of which it should have come to.
        refused: Whether a reset came back all the same.
    """

    protocol: str
    client: Endpoint
    server: Endpoint
    awaited: tuple[int, ...]
    refused: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What happened between the vantage points.

    Attributes:
        vantages: By their numbers.
        offsets: One for each pair of nodes between which packets were recognised.
        passages: The connections that were recognised at two stops or more, in the order of their first
            frames; in a digest those that were rewritten or troubled go before the others.
        passage_count: How many there are.
        findings: The gravest first, not yet cut to what somebody reads.
        explained: What taps alone would blame on a server.
        absent: The first of those that never came where they were going.
        notes: Sentences about what could not be compared, and why.
    """

    vantages: tuple[Vantage, ...] = ()
    offsets: tuple[Offset, ...] = ()
    passages: tuple[Passage, ...] = ()
    passage_count: int = -1
    findings: tuple[Finding, ...] = ()
    explained: tuple[Explained, ...] = ()
    absent: tuple[Absent, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.passage_count < 0:
            object.__setattr__(self, "passage_count", len(self.passages))

    def origins(self) -> Mapping[tuple[int, Endpoint, Endpoint], Passage]:
        """The passage of a connection as a vantage point saw it.

        `origins()[pod.number, client, server].origin.client` is who the client of a connection at the pod
        truly is, as far as it was seen; what was seen at one vantage point alone is not in it.
        """
        return {
            (stop.vantage, stop.client, stop.server): passage
            for passage in self.passages
            for stop in passage.stops
        }

    def digest(self, *, passages: int = 5000) -> "Comparison":
        """The same with so many passages only, for another process to read."""
        if len(self.passages) <= passages:
            return self
        kept = sorted(self.passages, key=lambda each: not (each.rewritten or each.troubled))[:passages]
        return replace(self, passages=tuple(kept))

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return {
            "version": VERSION,
            "vantages": [each.to_json() for each in self.vantages],
            "offsets": [asdict(each) for each in self.offsets],
            "passages": [each.to_json() for each in self.passages],
            "passage_count": self.passage_count,
            "findings": [each.to_json() for each in self.findings],
            "explained": [{**each._asdict(), "server": str(each.server)} for each in self.explained],
            "absent": [
                {**each._asdict(), "client": str(each.client), "server": str(each.server)}
                for each in self.absent
            ],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Comparison":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        if value["version"] != VERSION:
            raise ValueError(f"version {value['version']} of a comparison is unknown here")
        return cls(
            tuple(Vantage.from_json(each) for each in value["vantages"]),
            tuple(Offset(**each) for each in value["offsets"]),
            tuple(Passage.from_json(each) for each in value["passages"]),
            value["passage_count"],
            tuple(Finding.from_json(each) for each in value["findings"]),
            tuple(
                Explained(**{**each, "server": Endpoint.parse(each["server"])}) for each in value["explained"]
            ),
            tuple(map(_absent, value["absent"])),
            tuple(value["notes"]),
        )


def _absent(value: Mapping[str, Any]) -> Absent:
    client, server = (Endpoint.parse(value[end]) for end in ("client", "server"))
    return Absent(value["protocol"], client, server, tuple(value["awaited"]), value["refused"])
