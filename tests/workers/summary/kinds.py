"""Packets of every kind whose flows podcap counts by itself, and files that hold them.

Each kind has addresses of its own, so that a difference says which one it is about.
"""

import gzip
import struct
from collections.abc import Callable, Iterable

from tests.workers.summary import blocks, packets
from tests.workers.summary.packets import ACK, FIN, PSH, RST, SYN, Record

Frame = Callable[[bytes], bytes]
"""Puts an IP datagram into a frame."""

CUT = 60
"""Bytes that are captured of the packets which a snaplen cut."""

_OPTIONS = b"\x94\x04\x00\x00\x01\x01\x01\x00"
_EXTENSIONS = (
    (0, b"\x00\x01\x04" + bytes(4)),
    (60, b"\x00\x01\x04" + bytes(4)),
    (43, b"\x00\xfd\x00" + bytes(4)),
)


def _type(datagram: bytes) -> int:
    return 0x86DD if datagram[0] >> 4 == 6 else 0x0800


def _snap(datagram: bytes) -> bytes:
    behind = b"\xaa\xaa\x03\x00\x00\x00" + struct.pack(">H", _type(datagram)) + datagram
    return packets.MAC + struct.pack(">H", len(behind)) + behind


def _vlan(*tags: tuple[int, int]) -> Frame:
    return lambda datagram: packets.ethernet(datagram, vlans=tags)


LINKS: dict[str, tuple[int, Frame]] = {
    "Ethernet": (1, packets.ethernet),
    "SNAP": (1, _snap),
    "VLAN": (1, _vlan((0x8100, 5))),
    "QinQ": (1, _vlan((0x88A8, 6), (0x8100, 7))),
    "old QinQ": (1, _vlan((0x9100, 6), (0x8100, 7))),
    "SLL": (113, lambda datagram: packets.linux_sll(datagram, _type(datagram))),
    "SLL2": (276, lambda datagram: packets.linux_sll2(datagram, _type(datagram))),
    "raw IP": (101, bytes),
    "NULL": (0, lambda datagram: packets.null(datagram, 30 if _type(datagram) == 0x86DD else 2)),
    "LOOP": (108, lambda datagram: packets.null(datagram, 30 if _type(datagram) == 0x86DD else 2, ">")),
}


def vxlan(datagram: bytes, number: int = 42, port: int = 4789) -> bytes:
    header = b"\x08\0\0\0" + struct.pack(">I", number << 8)
    return packets.udp(50000, port, header + packets.ethernet(datagram))


def geneve(datagram: bytes, number: int = 42, options: bytes = b"") -> bytes:
    header = struct.pack(">BBHI", len(options) // 4, 0, 0x6558, number << 8)
    return packets.udp(50001, 6081, header + options + packets.ethernet(datagram))


def geneve_ip(datagram: bytes) -> bytes:
    """Geneve without an Ethernet header, with an option."""
    header = struct.pack(">BBHI", 2, 0, _type(datagram), 7 << 8)
    return packets.udp(50002, 6081, header + b"\x01\x02\x03\x01\0\0\0\0" + datagram)


def gre(datagram: bytes) -> bytes:
    return struct.pack(">HH", 0, _type(datagram)) + datagram


def gre_keyed(datagram: bytes) -> bytes:
    """With checksum, key and sequence number, and a whole Ethernet frame in it."""
    return struct.pack(">HHIII", 0xB000, 0x6558, 0, 99, 1) + packets.ethernet(datagram)


TUNNELS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "VXLAN": (17, vxlan),
    "Geneve": (17, geneve),
    "Geneve with an option": (17, geneve_ip),
    "GRE": (47, gre),
    "GRE with a key": (47, gre_keyed),
    "IP in IP": (4, bytes),
}


def _tcp(number: int, *, version: int = 4, **more: bytes) -> list[bytes]:
    """A connection's datagrams: opened, asked, answered, closed, and opened again on the same ports."""
    client, server = (f"10.{number}.0.1", f"10.{number}.0.2")
    if version == 6:
        client, server = f"2001:db8::{number:x}:1", f"2001:db8::{number:x}:2"
    steps = [
        (0, b"", SYN, 100),
        (1, b"", SYN | ACK, 900),
        (0, b"", ACK, 101),
        (0, b"GET / HTTP/1.1\r\nHost: cheddar\r\n\r\n", PSH | ACK, 101),
        (1, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", PSH | ACK, 901),
        (0, b"", FIN | ACK, 134),
        (1, b"", RST, 939),
        (0, b"", SYN, 77_000),
    ]
    found = []
    for side, payload, flags, sequence in steps:
        ends = (client, server) if side == 0 else (server, client)
        ports = (40000, 80) if side == 0 else (80, 40000)
        segment = packets.tcp(*ports, payload, flags=flags, sequence=sequence)
        if version == 6:
            found.append(packets.ipv6(*ends, 6, segment))
        else:
            found.append(packets.ipv4(*ends, 6, segment, **more))
    return found


def _udp(number: int, *, version: int = 4, extensions: Iterable[tuple[int, bytes]] = ()) -> list[bytes]:
    if version == 6:
        a, b = f"2001:db8::{number:x}:3", f"2001:db8::{number:x}:4"
        return [
            packets.ipv6(a, b, 17, packets.udp(4000, 5000, b"hello"), extensions=extensions),
            packets.ipv6(b, a, 17, packets.udp(5000, 4000, b"hello, too"), extensions=extensions),
        ]
    a, b = f"10.{number}.0.3", f"10.{number}.0.4"
    return [
        packets.ipv4(a, b, 17, packets.udp(4000, 5000, b"hello")),
        packets.ipv4(b, a, 17, packets.udp(5000, 4000, b"hello, too")),
    ]


def _fragments(number: int) -> list[bytes]:
    """A datagram of either IP version in three pieces, the last one first, and one that is never whole."""
    whole = packets.udp(4000, 5000, bytes(60))
    pieces = [(0, whole[:24], 1), (24, whole[24:48], 1), (48, whole[48:], 0)]
    a, b = f"10.{number}.0.5", f"10.{number}.0.6"
    four = [
        packets.ipv4(a, b, 17, part, fragment=offset // 8 | more << 13, identity=number)
        for offset, part, more in pieces
    ]
    six = [
        packets.ipv6(
            f"2001:db8::{number:x}:5",
            f"2001:db8::{number:x}:6",
            17,
            part,
            extensions=[(44, b"\0" + struct.pack(">HI", offset | more, number))],
        )
        for offset, part, more in pieces
    ]
    lost = packets.ipv4(a, b, 17, whole[:24], fragment=0x2000, identity=number + 1)
    return [four[2], six[2], four[0], six[1], lost, four[1], six[0]]


def _quotes(number: int) -> list[bytes]:
    """Errors that quote a packet, which is no traffic of its own, and an echo."""
    a, b = f"10.{number}.0.3", f"10.{number}.0.4"
    quoted = packets.ipv4(a, b, 17, packets.udp(4000, 5000, b"hello"))
    six = f"2001:db8::{number:x}:3", f"2001:db8::{number:x}:4"
    quoted6 = packets.ipv6(*six, 17, packets.udp(4000, 5000, b"hello"))
    return [
        packets.ipv4(b, a, 1, bytes((3, 3, 0, 0)) + bytes(4) + quoted),
        packets.ipv6(*six[::-1], 58, bytes((1, 4, 0, 0)) + bytes(4) + quoted6),
        packets.ipv4(a, b, 1, bytes((8, 0, 0, 0)) + bytes(4) + b"ping"),
    ]


def frames() -> dict[str, tuple[int, list[bytes]]]:
    """Of each kind its link type and its frames."""
    found: dict[str, tuple[int, list[bytes]]] = {}
    number = 0
    for name, (link_type, frame) in LINKS.items():
        number += 1
        datagrams = [*_tcp(number), *_tcp(number, version=6), *_udp(number), *_udp(number, version=6)]
        datagrams += [*_fragments(number), *_quotes(number)]
        found[name] = link_type, [frame(datagram) for datagram in datagrams]
    found["ARP"] = 1, [packets.arp()]
    for name, (protocol, tunnel) in TUNNELS.items():
        number += 1
        inner = [*_tcp(number), *_udp(number, version=6)]
        if name == "IP in IP":
            inner = [datagram for datagram in inner if datagram[0] >> 4 == 4]
        outer = f"172.16.{number}.1", f"172.16.{number}.2"
        found[name] = 1, [packets.ethernet(packets.ipv4(*outer, protocol, tunnel(each))) for each in inner]
    six = packets.ipv6("2001:db8::a:1", "2001:db8::a:2", 41, _udp(200, version=6)[0])
    four = packets.ipv6("2001:db8::a:3", "2001:db8::a:4", 4, _udp(201)[0])
    nested = packets.ipv4(
        "172.16.0.1", "172.16.0.2", 47, gre(packets.ipv4("172.16.0.3", "172.16.0.4", 17, vxlan(_udp(202)[0])))
    )
    found["tunnels in tunnels"] = 1, [packets.ethernet(each) for each in (six, four, nested)]
    options = [*_tcp(203, options=_OPTIONS), *_udp(203, version=6, extensions=_EXTENSIONS)]
    found["IP options"] = 1, [packets.ethernet(each) for each in options]
    found["trailing bytes"] = 1, [packets.ethernet(each) + bytes(9) for each in [*_tcp(204), *_udp(204)]]
    return found


def mixed() -> bytes:
    """One pcapng file: sections of both byte orders, with an interface for each kind.

    Each kind comes twice, with times in micro- and in nanoseconds; then every other is cut by a snaplen.
    """
    file = b""
    for order, resolution in (("<", b"\x06"), (">", b"\x09")):
        unit = 1000 if resolution == b"\x06" else 1
        table = frames()
        file += blocks.section(order)
        for link_type, _ in table.values():
            options = blocks.option(9, resolution, order)
            file += blocks.interface(link_type, order, options)
        time = 1_700_000_000_000_000_000
        for interface, (_, each) in enumerate(table.values()):
            for frame in each:
                time += 1_000_000
                cut = order == ">" and interface % 2
                file += blocks.packet(frame, time // unit, interface, order, CUT if cut else 262_144)
    return file


def pcaps() -> dict[str, bytes]:
    """A small file of each kind, and one of each format."""
    start = 1_700_000_000_000_000_000
    found = {}
    for name, (link_type, each) in frames().items():
        records = [Record(frame, start + number * 1_000_000) for number, frame in enumerate(each)]
        found[name] = packets.pcap(records, link_type=link_type)
    records = [Record(frame, start + number) for number, frame in enumerate(frames()["QinQ"][1])]
    for name, order, nanoseconds in (("nanoseconds", "<", True), ("big-endian", ">", False)):
        found[name] = packets.pcap(records, byte_order=order, nanoseconds=nanoseconds)
    found["cut packets"] = packets.pcap(Record(each.frame, each.time, CUT) for each in records)
    found["cut file"] = found["big-endian"][:-7]
    found["gzip"] = gzip.compress(found["nanoseconds"], mtime=0)
    return found
