"""Captures made packet by packet, at times that are said."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, FIN, PSH, RST, SYN, Record
from workers.summary.context import Context
from workers.summary.files.pcapfile import PcapFile
from workers.summary.finding import Finding
from workers.summary.findings.explained import explained
from workers.summary.flows.counting import Counting
from workers.summary.summary import Summary

START = 1_700_000_000
POD, WEB, DNS = "10.244.1.2", "10.244.2.2", "10.96.0.10"
POD6, WEB6, DNS6 = "fd00:244:1::2", "fd00:244:2::2", "fd00:96::a"

_ports = count(33000)


@dataclass
class Wire:
    """A capture in the making: `now` is the time of the next packet, in seconds; each takes a millisecond."""

    now: float = 0.0
    records: list[Record] = field(default_factory=list)

    def wait(self, seconds: float) -> "Wire":
        self.now += seconds
        return self

    def datagram(self, datagram: bytes) -> "Wire":
        return self.frame(packets.ethernet(datagram))

    def frame(self, frame: bytes) -> "Wire":
        self.records.append(Record(frame, START * 10**9 + round(self.now * 1e6) * 1000))
        self.now += 0.001
        return self

    def file(self) -> bytes:
        return packets.pcap(self.records)

    def tcp(
        self, port: int = 80, *, client: str = WEB, server: str = POD, source: int = 0, opened: bool = True
    ) -> "Tcp":
        found = Tcp(self, (client, source or next(_ports)), (server, port))
        return found.open() if opened else found

    def http(self, times: int = 1, *, status: int = 200, seconds: float = 0.002, path: str = "/") -> "Wire":
        """So many requests, each over a connection of its own that ends well."""
        for _ in range(times):
            self.tcp().get(path, status=status, seconds=seconds).close()
        return self

    def dns(
        self,
        name: str,
        rcode: int | None = 0,
        *,
        seconds: float = 0.002,
        kind: int = 1,
        client: str = POD,
        server: str = DNS,
        tries: int = 1,
    ) -> "Wire":
        """A question and its answer; none when `rcode` is None."""
        port, identity = next(_ports), 7
        question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        question += struct.pack(">HH", kind, 1)
        asked = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + question
        for _ in range(tries):
            self.datagram(_ip(client, server, 17, packets.udp(port, 53, asked)))
            self.now += seconds
        if rcode is not None:
            answer = struct.pack(">HHHHHH", identity, 0x8180 | rcode, 1, 0, 0, 0) + question
            self.datagram(_ip(server, client, 17, packets.udp(53, port, answer)))
        return self

    def icmp(self, kind: int, code: int, *, by: str, quoted: bytes, mtu: int = 0) -> "Wire":
        """An error about a datagram, to its sender."""
        body = struct.pack(">BBHHH", kind, code, 0, 0, mtu) + quoted[:48]
        sender = ".".join(str(byte) for byte in quoted[12:16])
        return self.datagram(packets.ipv4(by, sender, 1, body))

    def icmpv6(self, source: str, target: str, kind: int, code: int, rest: bytes) -> "Wire":
        """A message, with what stands behind its checksum."""
        return self.datagram(_ip(source, target, 58, bytes((kind, code, 0, 0)) + rest))

    def arp(self, operation: int, machine: int, sender: str, target: str) -> "Wire":
        own, asked = (bytes(int(part) for part in address.split(".")) for address in (sender, target))
        addressee = bytes(6) if operation == 1 else packets.MAC[:6]
        body = b"\0\1\x08\0\6\4" + bytes([0, operation, 2, 0, 0, 0, 0, machine]) + own + addressee + asked
        return self.frame(packets.ethernet(body, 0x0806))

    def summary(self, context: Context | None = None, *, payload: bool = True) -> Summary:
        return summary_of(self.file(), context, payload=payload)

    def findings(self, context: Context | None = None, *, payload: bool = True) -> list[Finding]:
        return list(self.summary(context, payload=payload).findings)


class Tcp:
    """A connection, whose packets are sent when they are said."""

    def __init__(self, wire: Wire, client: tuple[str, int], server: tuple[str, int]) -> None:
        self.wire, self.client, self.server = wire, client, server
        self._next = [1000, 5000]

    def send(
        self, side: int, data: bytes = b"", flags: int = ACK, *, again: int = 0, window: int = 64240
    ) -> "Tcp":
        """A segment of the client (0) or the server (1); `again` bytes before what would be next."""
        (source, port), (target, other) = (self.client, self.server)[:: -1 if side else 1]
        sequence = self._next[side] - again
        segment = bytearray(
            packets.tcp(port, other, data, flags=flags, sequence=sequence, acknowledged=self._next[1 - side])
        )
        segment[14:16] = window.to_bytes(2, "big")
        self.wire.datagram(_ip(source, target, 6, bytes(segment)))
        self._next[side] = max(self._next[side], sequence + len(data) + bool(flags & (SYN | FIN)))
        return self

    def open(self) -> "Tcp":
        return self.send(0, b"", SYN).send(1, b"", SYN | ACK).send(0)

    def says(self, data: bytes) -> "Tcp":
        return self.send(0, data, PSH | ACK)

    def hears(self, data: bytes) -> "Tcp":
        return self.send(1, data, PSH | ACK)

    def wait(self, seconds: float) -> "Tcp":
        self.wire.wait(seconds)
        return self

    def get(self, path: str = "/", *, status: int = 200, seconds: float = 0.002, host: str = "web") -> "Tcp":
        self.says(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).wait(seconds)
        return self.hears(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode()).send(0)

    def reset(self, side: int) -> "Tcp":
        return self.send(side, b"", RST | ACK)

    def close(self) -> "Tcp":
        return self.send(0, b"", FIN | ACK).send(1, b"", FIN | ACK).send(0)


def _ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    build = packets.ipv6 if ":" in source else packets.ipv4
    return build(source, target, protocol, payload)


def summary_of(data: bytes, context: Context | None = None, *, payload: bool = True) -> Summary:
    """As the reading child makes it."""
    file = PcapFile(io.BytesIO(data))
    counting = Counting(payload=payload)
    counting.file(file)
    return explained(counting.result().summary(payload=payload, notes=()), context or Context())


def ids(findings: Iterable[Finding]) -> set[str]:
    return {finding.id for finding in findings}
