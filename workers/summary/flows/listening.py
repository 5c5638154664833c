"""Brings payload to the readers of its protocol, and collects what they say. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from mypy_extensions import i64

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event, Events, Kind
from workers.summary.exchange import DnsExchange, Exchange, HttpExchange, TlsExchange
from workers.summary.files.packets import seconds
from workers.summary.flows.bins import Bins
from workers.summary.flows.conversation import UNKNOWN, Conversation, Direction
from workers.summary.protocols import dns
from workers.summary.protocols.known import KNOWN, lone_readers
from workers.summary.protocols.reader import Connection, Lone, Segment
from workers.summary.protocols.said import Said
from workers.summary.protocols.talk import Talk
from workers.summary.protocols.tls import Tls

_BY_START = {start: known for known in KNOWN for start in known.starts}
_BY_PORT = {port.to_bytes(2, "big"): known for known in KNOWN for port in known.ports}
_RESPONSE = b"HTTP"

STARTS = frozenset(_BY_START)
"""What the first four bytes of a segment's payload are where somebody wants to read it."""

TCP_PORTS = frozenset(_BY_PORT)
UDP_PORTS = frozenset(port.to_bytes(2, "big") for port in dns.PORTS)

_OVER = False
"""Stands for the talk of a connection that nobody reads any more."""


class Listening:
    """All readers of one file; `bins` knows when it begins, and has the events marked in it."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self.said, self.events = Said(), Events()
        self._questions = dns.Questions()
        self._lone = lone_readers()
        self._kinds: dict[type[Exchange], Kind] = {
            HttpExchange: "http-failure",
            DnsExchange: "dns-failure",
            TlsExchange: "tls-failure",
        }

    def seconds(self, time: i64) -> float:
        """Since the first packet of the file."""
        return seconds(time - self._bins.begin)

    def event(self, event: Event, time: i64) -> None:
        """Counts an event, and marks its time."""
        self.events.add(event)
        self._bins.mark(event.kind, time)

    def segment(
        self, side: Direction, sequence: i64, payload: bytes, size: i64, time: i64, frame: i64
    ) -> None:
        """Payload of a TCP connection that is `listened` to, or that begins like one of `STARTS`.

        Args:
            side: Whose.
            sequence: Of its first byte.
            payload: As captured; may be empty.
            size: Bytes on the wire.
            time: Nanoseconds since 1970.
            frame: Wireshark's number of the packet.
        """
        conversation = side.conversation
        talk = conversation.talk
        since = seconds(time - self._bins.begin)
        if not talk:
            if talk is None and not payload:
                return
            talk = self._open(side, sequence, payload, size, since, frame) if talk is None else None
            if talk is None:
                side.listened = side.back.listened = False
                return
            conversation.talk = talk
        given = talk.read(side.way, side.base, sequence, payload, size, since, frame)
        if given:
            self._take(given, conversation)
        reader = talk.reader
        if reader.done:
            side.listened = side.back.listened = False
            self.close(conversation)
            if not isinstance(reader, Tls):  # which others agree to go on with
                conversation.talk = None
        elif side.listened != reader.eager:
            side.listened = side.back.listened = reader.eager

    def _open(
        self, side: Direction, sequence: i64, payload: bytes, size: i64, seconds: float, frame: i64
    ) -> Talk | None:
        key, start = side.key, payload[:4]
        by_start = _BY_START.get(start)
        by_port = _BY_PORT.get(key[-2:])
        opener = side.conversation.opener
        if opener is not None:
            from_client = side is opener
        else:
            from_client = start != _RESPONSE if by_start else by_port is not None
        sender, receiver = side.conversation.ends(side)
        connection = Connection(sender, receiver) if from_client else Connection(receiver, sender)
        gap = side.base == UNKNOWN or sequence != (side.base + 1) & 0xFFFFFFFF
        segment = Segment(from_client, payload, seconds, frame, gap, len(payload) < size)
        for known in (by_start, by_port or _BY_PORT.get(key[-4:-2])):
            reader = known.open(connection, segment) if known else None
            if reader is not None:
                return Talk(reader, side.way if from_client else side.back.way)
        return None

    def close(self, conversation: Conversation) -> None:
        """The connection has ended: what was asked and not answered is told."""
        talk = conversation.talk
        if talk:
            left = talk.reader.end()
            if not (conversation.forth.packets and conversation.back.packets):
                # Nothing of the other end was captured: what it answered is unknown.
                left = [one if isinstance(one, DnsExchange) else one._replace(unread=True) for one in left]
            self._take(left, conversation)
            conversation.talk = _OVER

    def datagram(self, side: Direction, payload: bytes, time: i64, frame: i64) -> None:
        """Payload of a UDP packet from or to one of `UDP_PORTS`."""
        conversation = side.conversation
        ends = conversation.ends(side)
        since = seconds(time - self._bins.begin)
        given = self._questions.read(conversation.index, *ends, payload, since, frame)
        if given:
            self._take(given, conversation)

    def lone(self, packet: Lone, time: int, flow: Callable[[Event], int | None]) -> None:
        """A packet outside of TCP and UDP; `flow` finds the flow of the packet that an ICMP error quotes."""
        for reader in self._lone:
            for event in reader.read(packet):
                self.event(replace(event, flow=flow(event)) if event.kind == "icmp-error" else event, time)

    def end(self, conversations: Iterable[Conversation]) -> None:
        """The file has ended."""
        for conversation in conversations:
            self.close(conversation)
        self._take(self._questions.end(), None)
        for reader in self._lone:
            for event in reader.end():
                self.event(event, self._bins.begin + round(event.time * 1e9))

    def _take(self, exchanges: Iterable[Exchange], conversation: Conversation | None) -> None:
        for exchange in exchanges:
            if conversation is not None and _is_request(exchange):
                conversation.requests += 1
            if self.said.add(exchange):
                kind = self._kinds.get(type(exchange), "call-failure")
                index = None if conversation is None else conversation.index
                ends: tuple[Endpoint, Endpoint] = exchange.client, exchange.server
                event = Event(kind, exchange.frame, exchange.start, index, None, *ends)
                self.event(event, self._bins.begin + round(exchange.start * 1e9))


def _is_request(exchange: Exchange) -> bool:
    """A TLS handshake is none, nor is an HTTP/2 connection that a server gave up."""
    if isinstance(exchange, HttpExchange):
        return exchange.method != "GOAWAY"
    return not isinstance(exchange, TlsExchange)
