"""Blocks of pcapng made by hand, byte by byte."""

import struct


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type: int = 1, order: str = "<", options: bytes = b"", snaplen: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def option(number: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", number, len(value)) + value + bytes(-len(value) % 4)


def packet(frame: bytes, ticks: int = 0, number: int = 0, order: str = "<", snaplen: int = 262_144) -> bytes:
    captured = frame[:snaplen]
    times = ticks >> 32, ticks & 0xFFFFFFFF
    head = struct.pack(order + "IIIII", number, *times, len(captured), len(frame))
    return block(6, head + captured, order)
