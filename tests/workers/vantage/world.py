"""Packets on their way past several vantage points, as each of them captures them."""

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, FIN, PSH, SYN, Record
from workers.names.snapshot import Snapshot
from workers.pcapng.about import About
from workers.pcapng.merge import merge
from workers.summary.endpoint import Endpoint
from workers.summary.finding import Finding
from workers.vantage.compare import compare
from workers.vantage.comparison import Comparison
from workers.vantage.vantage import Vantage

NOW = 1_700_000_000_000_000_000
MS = 1_000_000

WEB = Vantage(0, "shop/web", "pod", "node1", ("10.244.1.2",), "veth0", NOW, NOW + 60_000 * MS, 0)
PASTA = Vantage(1, "shop/pasta", "pod", "node2", ("10.244.2.2",), "veth1", NOW, NOW + 60_000 * MS, 0)
ONE = Vantage(2, "uplink of node1", "uplink", "node1", ("192.168.1.20",), "eth0", NOW, NOW + 60_000 * MS, 0)
TWO = Vantage(3, "uplink of node2", "uplink", "node2", ("192.168.1.21",), "eth0", NOW, NOW + 60_000 * MS, 0)


def numbered(*vantages: Vantage) -> tuple[Vantage, ...]:
    return tuple(replace(each, number=number) for number, each in enumerate(vantages))


@dataclass(frozen=True)
class At:
    """A stop on the way: the vantage point, and the addresses there; `took` since the stop before, in ns."""

    vantage: Vantage
    client: str
    server: str
    took: int = 20_000
    hops: int = 64
    tunnelled: bool = False


@dataclass(frozen=True)
class Sent:
    """One packet; `lost` and `made` count stops from the sender: it comes that far, it begins there."""

    time: int
    flags: int = ACK
    back: bool = False
    sequence: int = 0
    acknowledged: int = 0
    payload: bytes = b""
    identity: int = 1
    lost: int | None = None
    made: int = 0


def handshake(
    time: int = 1000 * MS, begun: int = 1000, answered: int = 9000, identity: int = 100
) -> list[Sent]:
    return [
        Sent(time, SYN, sequence=begun, identity=identity),
        Sent(time + MS, SYN | ACK, back=True, sequence=answered, acknowledged=begun + 1, identity=0),
        Sent(time + 2 * MS, sequence=begun + 1, acknowledged=answered + 1, identity=identity + 1),
    ]


def talk(
    time: int = 1000 * MS, begun: int = 1000, answered: int = 9000, requests: int = 1, identity: int = 100
) -> list[Sent]:
    """A connection with requests of 100 bytes and answers of 1000, closed by both."""
    sent = handshake(time, begun, answered, identity)
    at, ours, theirs = time + 3 * MS, begun + 1, answered + 1
    for number in range(requests):
        own = identity + 10 + 3 * number
        sent += [
            Sent(at, PSH | ACK, False, ours, theirs, bytes([number % 256]) * 100, own),
            Sent(at + MS, PSH | ACK, True, theirs, ours + 100, bytes([number % 256]) * 1000, own + 1),
            Sent(at + 2 * MS, ACK, False, ours + 100, theirs + 1000, b"", own + 2),
        ]
        at, ours, theirs = at + 5 * MS, ours + 100, theirs + 1000
    sent += [
        Sent(at, FIN | ACK, False, ours, theirs, b"", identity + 6000),
        Sent(at + MS, FIN | ACK, True, theirs, ours + 1, b"", identity + 6001),
        Sent(at + 2 * MS, ACK, False, ours + 1, theirs + 1, b"", identity + 6002),
    ]
    return sent


@dataclass
class World:
    """What each vantage point captured; `clocks` are ns that a node's clock is ahead."""

    vantages: tuple[Vantage, ...]
    clocks: dict[str, int] = field(default_factory=dict)
    headers: bool = True
    records: dict[int, list[Record]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records = {each.number: [] for each in self.vantages}

    def pass_by(self, route: Sequence[At], sent: Iterable[Sent], protocol: int = 6) -> None:
        for each in sent:
            way = route[::-1] if each.back else route
            time = NOW + each.time
            for place, stop in enumerate(way):
                if place:
                    time += (way[place - 1] if each.back else stop).took
                if each.lost is not None and place >= each.lost:
                    break
                if place >= each.made:
                    self._see(stop, each, time, place, protocol)

    def _see(self, stop: At, each: Sent, time: int, place: int, protocol: int) -> None:
        vantage = next(one for one in self.vantages if one.name == stop.vantage.name)
        source, target = Endpoint.parse(stop.client), Endpoint.parse(stop.server)
        if each.back:
            source, target = target, source
        frame, headers = framed(source, target, each, protocol, 64 - place)
        if stop.tunnelled:
            outer = packets.udp(4000, 8472, b"\x08\x00\x00\x00\x00\x00\x01\x00" + frame)
            frame = packets.ethernet(packets.ipv4("192.168.1.20", "192.168.1.21", 17, outer))
            headers += 50
        time += self.clocks.get(vantage.node, 0)
        self.records[vantage.number].append(Record(frame, time, headers if self.headers else 262_144))

    def file(self) -> io.BytesIO:
        target = io.BytesIO()
        sources = [
            io.BytesIO(
                packets.pcap(sorted(self.records[each.number], key=lambda one: one.time), nanoseconds=True)
            )
            for each in self.vantages
        ]
        merge(
            sources,
            target,
            About("", ""),
            [About("", "", each.interface, filter=each.filter) for each in self.vantages],
        )
        target.seek(0)
        return target

    def compare(self, snapshot: Snapshot | None = None) -> Comparison:
        clocks = {each.number: self.clocks.get(each.node, 0) for each in self.vantages}
        vantages = [
            replace(
                each,
                began=each.began and each.began + clocks[each.number],
                ended=None if each.ended is None else each.ended + clocks[each.number],
            )
            for each in self.vantages
        ]
        return compare(vantages, self.file(), snapshot or Snapshot())


def framed(source: Endpoint, target: Endpoint, each: Sent, protocol: int, hops: int) -> tuple[bytes, int]:
    """The frame, and how many bytes its headers have."""
    if protocol == 6:
        body = packets.tcp(
            source.port,
            target.port,
            each.payload,
            flags=each.flags,
            sequence=each.sequence,
            acknowledged=each.acknowledged,
        )
        size = 20
    elif protocol == 17:
        body, size = packets.udp(source.port, target.port, each.payload), 8
    else:
        kind = 0 if each.back else 8
        body = bytes([kind, 0, 0, 0]) + source.port.to_bytes(2, "big") + each.sequence.to_bytes(2, "big")
        body, size = body + each.payload, 8
    datagram = packets.ipv4(source.address, target.address, protocol, body, identity=each.identity)
    return packets.ethernet(aged(datagram, hops)), 34 + size


def aged(datagram: bytes, hops: int) -> bytes:
    """With another time to live, and the checksum that goes with it."""
    header = bytearray(datagram[:20])
    header[8], header[10:12] = hops, b"\0\0"
    header[10:12] = struct.pack(">H", 0xFFFF - sum(struct.unpack(">10H", header)) % 0xFFFF)
    return bytes(header) + datagram[20:]


def only(comparison: Comparison, name: str) -> Finding:
    (found,) = [each for each in comparison.findings if each.id == name]
    return found
