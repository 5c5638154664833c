"""The contract of a protocol's reader: what it is given, and what it gives. Pure.

A reader follows one TCP connection, both directions, and gives an exchange as soon as it is complete. It is
made by a function that sees how the first payload begins, or by the server's port (`Known`). Every reader

- never raises, on any bytes;
- keeps at most `MOST_KEPT` bytes and `MOST_WAITING` questions, forgetting the oldest;
- gives up (`done`) when what comes is not its protocol, or when the rest is encrypted;
- puts into an exchange only text that is cut and rid of secrets (`redact`).

`workers.summary.protocols.known` lists them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.exchange import Exchange

MOST_KEPT = 1 << 16
MOST_WAITING = 256


class Segment(NamedTuple):
    """Payload of one packet that the other segments of its side have not had: never a byte twice.

    Attributes:
        from_client: Whose it is, as `Connection` has it.
        payload: As captured; never empty.
        time: Seconds since the first packet of the file.
        frame: Wireshark's number of the packet.
        gap: Bytes of this side are missing before it: lost, cut away, or from before the capture.
        cut: Bytes of this packet were not captured; what follows it has a `gap`.
    """

    from_client: bool
    payload: bytes
    time: float
    frame: int
    gap: bool
    cut: bool = False


def nanoseconds(seconds: float) -> float:
    """A difference of two times, rounded as `round(seconds, 9)` does, at a fifth of the cost."""
    return round(seconds * 1e9) / 1e9


class Connection(NamedTuple):
    """Whose connection it is. Without a SYN the client is who sent what begins like a question."""

    client: Endpoint
    server: Endpoint


class Reader(Protocol):
    """Reads one connection."""

    done: bool
    """Whether it wants no more segments."""

    eager: bool
    """Whether it wants each segment; else only those that begin like one of `Known.starts`. May change."""

    def read(self, segment: Segment) -> Iterable[Exchange]:
        """The exchanges that this segment completes."""

    def end(self) -> Iterable[Exchange]:
        """Those that were asked and never answered; called once, when connection or file have ended."""


@dataclass(frozen=True, slots=True)
class Known:
    """How a protocol is recognised, and its reader made.

    Attributes:
        name: Of the protocol.
        starts: What the first four bytes of a client's payload can be. A segment that begins so brings its
            connection to `open`, whatever its port and wherever in the connection it is.
        ports: Ports of servers whose connections are brought to `open` from their first payload on.
        open: Gives a reader, or None when the payload is not of this protocol after all. It is shown the
            segment that begins so, which is then also the first one read.
    """

    name: str
    starts: frozenset[bytes]
    ports: frozenset[int]
    open: Callable[[Connection, Segment], Reader | None]


class Lone(NamedTuple):
    """A packet outside of TCP and UDP: ARP, ICMP, ICMPv6 (with neighbour discovery).

    Attributes:
        kind: Which.
        source: Sender's IP address; empty for ARP.
        target: Receiver's; empty for ARP.
        payload: As captured, from the ARP or ICMP header on.
        time: Seconds since the first packet of the file.
        frame: Wireshark's number of the packet.
    """

    kind: Literal["arp", "icmp", "icmpv6"]
    source: str
    target: str
    payload: bytes
    time: float
    frame: int


class LoneReader(Protocol):
    """Reads all packets outside of TCP and UDP of one file; as bounded and as hard to upset as a `Reader`."""

    def read(self, packet: Lone) -> Iterable[Event]:
        """The events that this packet makes sure.

        `flow` is left None: whoever counts finds the flow of an ICMP error by the quoted `source` and
        `target` and by `numbers["protocol"]`, the IP protocol of the quoted packet.
        """

    def end(self) -> Iterable[Event]:
        """Those that only the end of the file makes sure, such as a question that nobody answered."""
