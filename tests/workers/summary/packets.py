"""Packets and pcap files made by hand, byte by byte."""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

MAC = b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Record:
    """A packet in a file: its bytes, nanoseconds since 1970, and how many of its bytes are captured."""

    frame: bytes
    time: int = 1_700_000_000_000_000_000
    snaplen: int = 262_144


def pcap(
    records: Iterable[Record], *, link_type: int = 1, byte_order: str = "<", nanoseconds: bool = False
) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(byte_order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link_type)]
    for record in records:
        seconds, rest = divmod(record.time, 1_000_000_000)
        captured = record.frame[: record.snaplen]
        fraction = rest if nanoseconds else rest // 1000
        header = struct.pack(byte_order + "IIII", seconds, fraction, len(captured), len(record.frame))
        parts += [header, captured]
    return b"".join(parts)


def ethernet(payload: bytes, ethertype: int | None = None, *, vlans: Iterable[tuple[int, int]] = ()) -> bytes:
    """A frame; `vlans` are pairs of tag type and id, the outer one first."""
    tags = b""
    types = [tag for tag, _ in vlans] + [ethertype or (0x86DD if payload[0] >> 4 == 6 else 0x0800)]
    for (_, vlan), following in zip(vlans, types[1:], strict=True):
        tags += struct.pack(">HH", vlan, following)
    return MAC + struct.pack(">H", types[0]) + tags + payload


def linux_sll(payload: bytes, ethertype: int = 0x0800) -> bytes:
    return struct.pack(">HHH8sH", 0, 1, 6, MAC[:6], ethertype) + payload


def linux_sll2(payload: bytes, ethertype: int = 0x0800, *, interface: int = 2) -> bytes:
    return struct.pack(">HHIHBB8s", ethertype, 0, interface, 1, 0, 6, MAC[:6]) + payload


def null(payload: bytes, family: int = 2, byte_order: str = "<") -> bytes:
    return struct.pack(byte_order + "I", family) + payload


def ipv4(
    source: str,
    target: str,
    protocol: int,
    payload: bytes,
    *,
    options: bytes = b"",
    identity: int = 7,
    fragment: int = 0,
    total: int | None = None,
) -> bytes:
    """`fragment` is the field of flags and offset; `total` lies about the length. The checksum is right."""
    length = 20 + len(options)
    header = (
        struct.pack(
            ">BBHHHBBH4s4s",
            0x40 | length // 4,
            0,
            length + len(payload) if total is None else total,
            identity,
            fragment,
            64,
            protocol,
            0,
            socket.inet_aton(source),
            socket.inet_aton(target),
        )
        + options
    )
    checksum = 0xFFFF - sum(struct.unpack(f">{length // 2}H", header)) % 0xFFFF
    return header[:10] + struct.pack(">H", checksum) + header[12:] + payload


def ipv6(
    source: str,
    target: str,
    protocol: int,
    payload: bytes,
    *,
    extensions: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """`extensions` are pairs of a header's own number and its bytes behind the first (next header)."""
    following = [number for number, _ in extensions] + [protocol]
    body = b"".join(bytes([after]) + rest for (_, rest), after in zip(extensions, following[1:], strict=True))
    body += payload
    return (
        struct.pack(">IHBB", 6 << 28, len(body), following[0], 64)
        + socket.inet_pton(socket.AF_INET6, source)
        + socket.inet_pton(socket.AF_INET6, target)
        + body
    )


def tcp(
    source: int,
    target: int,
    payload: bytes = b"",
    *,
    flags: int = ACK,
    sequence: int = 1,
    acknowledged: int = 1,
    options: bytes = b"",
) -> bytes:
    """`options` has a length that 4 divides."""
    offset = (20 + len(options)) // 4 << 4
    return (
        struct.pack(
            ">HHIIBBHHH",
            source,
            target,
            sequence & 0xFFFFFFFF,
            acknowledged & 0xFFFFFFFF,
            offset,
            flags,
            64240,
            0,
            0,
        )
        + options
        + payload
    )


def udp(source: int, target: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(payload) if length is None else length, 0) + payload


def arp() -> bytes:
    return ethernet(b"\x00\x01\x08\x00\x06\x04\x00\x01" + MAC[6:] + bytes(4) + bytes(6) + bytes(4), 0x0806)
