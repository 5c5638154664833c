"""What a summary is: totals, flows, what was said, what happened, and findings, with its form in JSON. Pure.

Times are seconds since the first packet of the file, except where it says otherwise. Bytes are bytes on the
wire (Wireshark's frame.len), whatever was captured of them. docs/summary.md has the JSON form.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import compress
from operator import ne
from typing import Any

from workers.service_truth.truth import ServiceTruth
from workers.service_truth.visits import Visits
from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.exchange import Exchange, Group, exchange_from_json, exchange_to_json
from workers.summary.finding import Finding
from workers.summary.flow import Flow, Tunnel
from workers.summary.host import Host
from workers.summary.timeline import Timeline

VERSION = 2
"""Of the JSON form; it goes up when a reader of the one before would misread it."""

_FLOW_NEEDED = Flow._fields[:9]
_NUMBERS = frozenset((int, float))
_SIDES = ("a", "b")
_FIELDS = {kind: tuple(each.name for each in fields(kind)) for kind in (Group, Event)}
_ENDS = ("server", "source", "target")


@dataclass(frozen=True, slots=True)
class Totals:
    """Every packet of the file once.

    Attributes:
        first: Nanoseconds since 1970 of the earliest packet, None in an empty file.
        last: Likewise of the latest.
        fragments: IP fragments but those that complete a datagram, which count as what they complete.
        other: What is none of the others, or was captured too short to say.
    """

    packets: int = 0
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    tcp: int = 0
    udp: int = 0
    icmp: int = 0
    icmpv6: int = 0
    arp: int = 0
    fragments: int = 0
    other: int = 0

    @property
    def duration(self) -> float:
        """Seconds from the first to the last packet."""
        return 0.0 if self.first is None or self.last is None else (self.last - self.first) / 1e9


@dataclass(frozen=True, slots=True)
class Summary:
    """What one capture file says; a digest of it has fewer flows, exchanges and events.

    Attributes:
        flows: In the order of their first packets, TCP before UDP; in a digest the busiest.
        payload: Whether packets are whole; of headers only nothing can be said about HTTP, DNS and TLS.
        exchanges: The first so many of each protocol, by frame.
        notes: Sentences about what is missing here and why; may quote nothing from packets.
        groups: All exchanges, those with one server that read the same together; failures first, then by how
            often.
        events: The first so many of each kind, by frame.
        event_counts: How many of each kind there were.
        hosts: What the busiest 200 addresses sent and got.
        findings: Ranked, the gravest first.
        counted_by: `podcap`, or `tshark` where the file holds what podcap's own pass does not know.
        flow_count: How many flows the file has.
        names: Shown name of each address that has one and appears here.
        visits: Who came to which doors of Services, the busiest first; none where no cluster is known.
        services: What became of each Service's traffic; only of all taps of a capture together.
    """

    totals: Totals
    flows: tuple[Flow, ...]
    payload: bool
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    events: tuple[Event, ...] = ()
    event_counts: Mapping[str, int] = field(default_factory=dict)
    timeline: Timeline | None = None
    hosts: Mapping[str, Host] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    counted_by: str = "podcap"
    flow_count: int = -1
    names: Mapping[str, str] = field(default_factory=dict)
    visits: tuple[Visits, ...] = ()
    services: tuple[ServiceTruth, ...] = ()

    def __post_init__(self) -> None:
        if self.flow_count < 0:
            object.__setattr__(self, "flow_count", len(self.flows))

    def digest(self, *, flows: int = 50, exchanges: int = 200, events: int = 100) -> "Summary":
        """The same with the busiest flows and the first exchanges and events only, for many to be held."""
        busiest = sorted(self.flows, key=lambda flow: (-flow.bytes, -flow.packets, flow.start))[:flows]
        return replace(
            self,
            flows=tuple(busiest),
            exchanges=self.exchanges[:exchanges],
            groups=self.groups[:exchanges],
            events=tuple(replace(event, flow=None) for event in self.events[:events]),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return {
            "version": VERSION,
            "payload": self.payload,
            "counted_by": self.counted_by,
            "totals": asdict(self.totals),
            "flow_count": self.flow_count,
            "flows": [flow_to_json(flow) for flow in self.flows],
            "findings": [finding.to_json() for finding in self.findings],
            "exchanges": [exchange_to_json(exchange) for exchange in self.exchanges],
            "groups": [_flat(group) for group in self.groups],
            "events": [_flat(event) for event in self.events],
            "event_counts": dict(self.event_counts),
            "timeline": None if self.timeline is None else asdict(self.timeline),
            "hosts": {address: host._asdict() for address, host in self.hosts.items()},
            "names": dict(self.names),
            "notes": list(self.notes),
            **({"visits": [each.to_json() for each in self.visits]} if self.visits else {}),
            **({"services": [each.to_json() for each in self.services]} if self.services else {}),
        }

    def json_pieces(self) -> Iterator[str]:
        """The text of `to_json` piece by piece: as one object, tens of thousands of flows take 60 MB."""
        before = "{"
        for name, value in replace(self, flows=(), flow_count=self.flow_count).to_json().items():
            yield f'{before}"{name}":'
            before = ","
            if name == "flows":
                yield from _list_of_flows(self.flows)
            else:
                yield json.dumps(value, separators=(",", ":"))
        yield "}"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Summary":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        if value["version"] != VERSION:
            raise ValueError(f"version {value['version']} of a summary is unknown here")
        return cls(
            Totals(**value["totals"]),
            tuple(flow_from_json(flow) for flow in value["flows"]),
            bool(value["payload"]),
            tuple(exchange_from_json(exchange) for exchange in value["exchanges"]),
            tuple(value["notes"]),
            tuple(Group(**_with_endpoints(group, "server")) for group in value["groups"]),
            tuple(Event(**_with_endpoints(event, "source", "target")) for event in value["events"]),
            dict(value["event_counts"]),
            None if value["timeline"] is None else _timeline(value["timeline"]),
            {address: Host(**host) for address, host in value["hosts"].items()},
            tuple(map(Finding.from_json, value["findings"])),
            value["counted_by"],
            value["flow_count"],
            dict(value["names"]),
            tuple(map(Visits.from_json, value.get("visits", ()))),
            tuple(map(ServiceTruth.from_json, value.get("services", ()))),
        )


def flow_to_json(flow: Flow) -> dict[str, Any]:
    """Its first nine fields, and those of the others that are not as in `Flow`'s defaults."""
    values: dict[str, Any] = dict(zip(_FLOW_NEEDED, flow, strict=False))
    values["a"], values["b"] = str(flow.a), str(flow.b)
    defaults = Flow._field_defaults
    for name, value in zip(Flow._fields[9:], flow[9:], strict=True):
        if value != defaults[name]:
            values[name] = value._asdict() if isinstance(value, Tunnel) else value
    return values


def _list_of_flows(flows: tuple[Flow, ...]) -> Iterator[str]:
    """The text of a list of what `flow_to_json` gives. Nothing in a flow needs escaping."""
    names = [f',"{name}":' for name in Flow._field_defaults]
    defaults = tuple(Flow._field_defaults.values())
    before = "["
    for flow in flows:
        protocol, a, b, packets_ab, bytes_ab, packets_ba, bytes_ba, start, duration = flow[:9]
        others = flow[9:]
        said = tuple(map(ne, others, defaults))
        rest = "".join(
            [
                name + (str(value) if type(value) in _NUMBERS else _word(value))
                for name, value in zip(compress(names, said), compress(others, said), strict=True)
            ]
        )
        yield (
            f'{before}{{"protocol":"{protocol}","a":"{a}","b":"{b}",'
            f'"packets_ab":{packets_ab},"bytes_ab":{bytes_ab},"packets_ba":{packets_ba},"bytes_ba":{bytes_ba},'
            f'"start":{start},"duration":{duration}{rest}}}'
        )
        before = ","
    yield "]" if flows else "[]"


def _word(value: object) -> str:
    if value in _SIDES:
        return f'"{value}"'
    return json.dumps(value._asdict() if isinstance(value, Tunnel) else value, separators=(",", ":"))


def flow_from_json(value: Mapping[str, Any]) -> Flow:
    """What `flow_to_json` wrote."""
    given = _with_endpoints(value, "a", "b")
    if "tunnel" in given:
        given["tunnel"] = Tunnel(**given["tunnel"])
    return Flow(**given)


def _flat(record: Group | Event) -> dict[str, Any]:
    """The fields, endpoints as text."""
    values = {name: getattr(record, name) for name in _FIELDS[type(record)]}
    for name in _ENDS:
        if values.get(name) is not None:
            values[name] = str(values[name])
    return values


def _timeline(value: Mapping[str, Any]) -> Timeline:
    packets, to_server, to_client, other = (
        tuple(value[name]) for name in ("packets", "to_server", "to_client", "other")
    )
    marks = {kind: tuple(counts) for kind, counts in value["marks"].items()}
    return Timeline(value["width"], packets, to_server, to_client, other, marks)


def _with_endpoints(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    given = {name: Endpoint.parse(value[name]) for name in names if value.get(name) is not None}
    return {**value, **given}
