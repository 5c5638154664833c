"""What a summary is: totals, flows, and what was said, with its form in JSON. Pure.

Times are seconds since the first packet of the file, except where it says otherwise. Bytes are bytes on the
wire (Wireshark's frame.len), whatever was captured of them.
"""

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

VERSION = 1
"""Of the JSON form; it goes up when a reader of the one before would misread it."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One end of a flow."""

    address: str
    port: int

    def __str__(self) -> str:
        """`10.244.2.2:80`, `[2001:db8::1]:80`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """The endpoint that `str` wrote."""
        address, _, port = text.rpartition(":")
        return cls(address.strip("[]"), int(port))

    @classmethod
    def packed(cls, address: bytes, port: int) -> "Endpoint":
        """From an address of 4 or 16 bytes, written as inet_ntop(3) writes it."""
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6  # noqa: PLR2004, bytes of IPv4
        return cls(socket.inet_ntop(family, address), port)


Side = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One TCP or UDP conversation, as `tshark -z conv` counts them.

    `a` is the side that Wireshark calls A: the sender of the conversation's first packet in the file. Who
    opened the connection is in `opened_by`. `_ab` counts what a sent to b.

    Attributes:
        opened_by: The side that sent the SYN, None when that was not seen (and for UDP).
        handshake: From the first SYN to the opener's first ACK; None when not all of it was seen.
        retransmitted_ab: Segments with nothing beyond what was sent before (out of order ones, too).
    """

    protocol: Literal["TCP", "UDP"]
    a: Endpoint
    b: Endpoint
    packets_ab: int
    bytes_ab: int
    packets_ba: int
    bytes_ba: int
    start: float
    duration: float
    opened_by: Side | None = None
    handshake: float | None = None
    resets_ab: int = 0
    resets_ba: int = 0
    fins_ab: int = 0
    fins_ba: int = 0
    retransmitted_ab: int = 0
    retransmitted_ba: int = 0

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_ab + self.packets_ba

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_ab + self.bytes_ba

    @property
    def client(self) -> Side:
        """The side that opened the connection; where that was not seen, the one with the higher port."""
        return self.opened_by or ("a" if self.a.port >= self.b.port else "b")


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
class HttpExchange:
    """An HTTP/1 request. `path` is without secrets; `status` and `seconds` are None without an answer."""

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    method: str
    host: str
    path: str
    status: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class DnsExchange:
    """A DNS question. `rcode` is its name (`NOERROR`, `NXDOMAIN`), None without an answer."""

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    name: str
    type: str
    rcode: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TlsExchange:
    """A TLS handshake. `version` is what the server chose, None without a ServerHello."""

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    server_name: str
    version: str | None
    seconds: float | None
    alerts: tuple[str, ...]


Exchange = HttpExchange | DnsExchange | TlsExchange
_EXCHANGES: dict[str, type[Exchange]] = {"HTTP": HttpExchange, "DNS": DnsExchange, "TLS": TlsExchange}
_NAMES = {kind: name for name, kind in _EXCHANGES.items()}


@dataclass(frozen=True, slots=True)
class Summary:
    """What one capture file says.

    Attributes:
        payload: Whether packets are whole; of headers only nothing can be said about HTTP, DNS and TLS.
        notes: Sentences about what is missing here and why; may quote nothing from packets.
    """

    totals: Totals
    flows: tuple[Flow, ...]
    payload: bool
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return {
            "version": VERSION,
            "payload": self.payload,
            "totals": asdict(self.totals),
            "flows": [_flat(flow) for flow in self.flows],
            "exchanges": [exchange_to_json(exchange) for exchange in self.exchanges],
            "notes": list(self.notes),
        }

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
            tuple(Flow(**_with_endpoints(flow, "a", "b")) for flow in value["flows"]),
            bool(value["payload"]),
            tuple(exchange_from_json(exchange) for exchange in value["exchanges"]),
            tuple(value["notes"]),
        )


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """One exchange, with its protocol's name."""
    return {"protocol": _NAMES[type(exchange)], **_flat(exchange)}


def exchange_from_json(value: Mapping[str, Any]) -> Exchange:
    """What `exchange_to_json` wrote."""
    given = _with_endpoints(value, "client", "server")
    kind = _EXCHANGES[given.pop("protocol")]
    if "alerts" in given:
        given["alerts"] = tuple(given["alerts"])
    return kind(**given)


def _flat(record: Flow | Exchange) -> dict[str, Any]:
    """The fields, endpoints as text, tuples as lists (asdict goes into each endpoint, ten times slower)."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    for name, value in values.items():
        if isinstance(value, Endpoint):
            values[name] = str(value)
        elif isinstance(value, tuple):
            values[name] = list(value)
    return values


def _with_endpoints(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**value, **{name: Endpoint.parse(value[name]) for name in names}}
