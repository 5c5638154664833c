"""Tunnels around packets, and other headers that only the cut looks into, made by hand."""

import struct

from tests.workers.summary import packets

IPV4, IPV6, BRIDGED = 0x0800, 0x86DD, 0x6558


def vxlan(frame: bytes, *, port: int = 8472, flags: int = 0x08000000, last: int = 0) -> bytes:
    """A UDP datagram; `last` is the reserved byte behind the network identifier."""
    return packets.udp(50000, port, struct.pack(">II", flags, 77 << 8 | last) + frame)


def geneve(payload: bytes, ethertype: int, *, options: bytes = b"", first: int = 0, flags: int = 0) -> bytes:
    """A UDP datagram; `first` is the version, in the upper two bits."""
    fixed = struct.pack(">BBHI", first | len(options) // 4, flags, ethertype, 77 << 8)
    return packets.udp(50000, 6081, fixed + options + payload)


def geneve_option(size: int) -> bytes:
    """One option of so many bytes in all; 4 divides them."""
    return struct.pack(">HBB", 0x0102, 0x80, (size - 4) // 4) + bytes(size - 4)


def gre(payload: bytes, ethertype: int, *, flags: int = 0, fields: int | None = None) -> bytes:
    """`fields` of four bytes each, by default as many as `flags` say (checksum, key, sequence number)."""
    count = (flags & 0xB000).bit_count() if fields is None else fields
    return struct.pack(">HH", flags, ethertype) + b"\x5a" * 4 * count + payload


def sctp(kind: int, size: int, rest: bytes) -> bytes:
    """A common header, and a chunk that says its type and length."""
    return struct.pack(">HHII", 40000, 3868, 1, 0) + struct.pack(">BBH", kind, 3, size) + rest


def wireguard(kind: int, rest: bytes, *, source: int = 51820, target: int = 51820) -> bytes:
    return packets.udp(source, target, bytes((kind, 0, 0, 0)) + rest)
