"""A capture file of any size: HTTP, DNS, TLS and bulk data between pods, the same bytes every time.

Streamed: 64 connections take turns, so that packets of one flow stand apart, as on a node.
"""

import random
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

_FIN, _SYN, _PSH, _ACK = 1, 2, 8, 16
_MAC = bytes.fromhex("0200000000010200000000020800")
_SEGMENT = 1448
_AT_ONCE = 64
_BEGIN = 1_700_000_000
_MICROSECONDS_BETWEEN = 20

_HELLO_RANDOM = bytes(range(32))
_FLOW_KINDS = "ddddddddhhhhhhhhttttb"


def write(path: Path, *, packets: int, flows: int) -> int:
    """Writes a pcap file; gives how many packets it has, at least those asked for.

    Args:
        path: The file.
        packets: At least as many.
        flows: Exactly as many TCP and UDP conversations, where `packets` is large enough for them.
    """
    with path.open("wb", buffering=1 << 20) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        return _write_packets(file, packets, flows)


def _write_packets(file: BinaryIO, packets: int, flows: int) -> int:
    choice = random.Random(20)
    tcp = sum(_FLOW_KINDS[n % len(_FLOW_KINDS)] != "d" for n in range(flows))
    each = max(8, (packets - 2 * (flows - tcp)) // max(1, tcp) + 1)
    waiting = iter([_flow(number, each, choice) for number in range(flows)])
    active = list(islice(waiting, _AT_ONCE))
    record = struct.Struct("<IIII").pack
    written, place, now = 0, 0, 0
    while active:
        place = (place + 1) % len(active)
        frame = next(active[place], None)
        if frame is None:
            following = next(waiting, None)
            if following is None:
                del active[place]
                place = 0
            else:
                active[place] = following
            continue
        seconds, fraction = divmod(now, 1_000_000)
        size = len(frame)
        file.write(record(_BEGIN + seconds, fraction, size, size))
        file.write(frame)
        written += 1
        now += _MICROSECONDS_BETWEEN
    return written


def _flow(number: int, packets: int, choice: random.Random) -> Iterator[bytes]:
    kind = _FLOW_KINDS[number % len(_FLOW_KINDS)]
    client = struct.pack(">BBBB", 10, 244, 1 + number % 4, 2 + number // 4 % 250)
    server = struct.pack(">BBBB", 10, 96, 0, 10 if kind == "d" else 20 + number % 40)
    port = 1024 + number % 60_000
    if kind == "d":
        return _dns(client, server, port, number)
    size = choice.randint(packets // 2, packets + packets // 2)
    dialogue = _Dialogue(client, server, port, {"h": 80, "t": 443, "b": 9000}[kind])
    return {"h": _http, "t": _tls, "b": _bulk}[kind](dialogue, size, number)


class _Dialogue:
    def __init__(self, client: bytes, server: bytes, client_port: int, server_port: int) -> None:
        self._heads = (client + server, server + client)
        self._ports = (
            struct.pack(">HH", client_port, server_port),
            struct.pack(">HH", server_port, client_port),
        )
        self._next = [1000, 9000]
        self.sent = 0

    def packet(self, side: int, flags: int = _ACK, payload: bytes = b"") -> bytes:
        at = self._next[side]
        self._next[side] = at + len(payload) + (flags & _FIN) + (flags >> 1 & 1)
        self.sent += 1
        return (
            _MAC
            + struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), self.sent & 0xFFFF, 0x4000, 63, 6, 0)
            + self._heads[side]
            + self._ports[side]
            + struct.pack(
                ">IIBBHHH", at, 0 if flags == _SYN else self._next[1 - side], 0x50, flags, 64240, 0, 0
            )
            + payload
        )

    def open(self) -> Iterator[bytes]:
        yield self.packet(0, _SYN)
        yield self.packet(1, _SYN | _ACK)
        yield self.packet(0)

    def data(self, side: int, size: int) -> Iterator[bytes]:
        """Whole segments, every second one acknowledged."""
        while size > 0:
            yield self.packet(side, _ACK | _PSH, _DATA[: min(size, _SEGMENT)])
            if size // _SEGMENT % 2:
                yield self.packet(1 - side)
            size -= _SEGMENT

    def close(self) -> Iterator[bytes]:
        yield self.packet(0, _FIN | _ACK)
        yield self.packet(1, _FIN | _ACK)
        yield self.packet(0)


_DATA = bytes(200 + n * 7 % 50 for n in range(_SEGMENT))


def _http(dialogue: _Dialogue, packets: int, number: int) -> Iterator[bytes]:
    yield from dialogue.open()
    turn = 0
    while dialogue.sent < packets - 3:
        turn += 1
        path = f"/api/v1/items/{(number + turn) % 500}?page={turn}"
        head = f"GET {path} HTTP/1.1\r\nHost: shop-{number % 20}.example\r\nAccept: */*\r\n\r\n"
        yield dialogue.packet(0, _ACK | _PSH, head.encode())
        yield dialogue.packet(1)
        status = "404 Not Found" if (number + turn) % 50 == 0 else "200 OK"
        size = (number + turn) % 6 * 1000
        answer = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {size + 500}\r\n\r\n"
        yield dialogue.packet(1, _ACK | _PSH, answer.encode() + _DATA[:500])
        yield from dialogue.data(1, size)
        yield dialogue.packet(0)
    yield from dialogue.close()


def _tls(dialogue: _Dialogue, packets: int, number: int) -> Iterator[bytes]:
    yield from dialogue.open()
    name = f"secure-{number % 30}.example".encode()
    sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    body = (
        b"\x03\x03"
        + _HELLO_RANDOM
        + b"\x00"
        + b"\x00\x02\x13\x01"
        + b"\x01\x00"
        + struct.pack(">H", len(sni))
        + sni
    )
    yield dialogue.packet(0, _ACK | _PSH, _handshake(1, body))
    yield dialogue.packet(1)
    chosen = b"\x00\x2b\x00\x02\x03\x04"
    body = b"\x03\x03" + _HELLO_RANDOM + b"\x00" + b"\x13\x01\x00" + struct.pack(">H", len(chosen)) + chosen
    yield dialogue.packet(
        1, _ACK | _PSH, _handshake(2, body) + b"\x14\x03\x03\x00\x01\x01" + _application(900)
    )
    yield dialogue.packet(0)
    yield dialogue.packet(0, _ACK | _PSH, b"\x14\x03\x03\x00\x01\x01" + _application(60))
    turn = 0
    while dialogue.sent < packets - 3:
        turn += 1
        yield dialogue.packet(0, _ACK | _PSH, _application(300))
        yield dialogue.packet(1, _ACK | _PSH, _application(1200))
        yield from dialogue.data(1, (number + turn) % 5 * 1400)
        yield dialogue.packet(0)
    yield from dialogue.close()


def _bulk(dialogue: _Dialogue, packets: int, _number: int) -> Iterator[bytes]:
    yield from dialogue.open()
    while dialogue.sent < packets - 3:
        yield from dialogue.data(0, 10 * _SEGMENT)
    yield from dialogue.close()


def _handshake(kind: int, body: bytes) -> bytes:
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def _application(size: int) -> bytes:
    return b"\x17\x03\x03" + struct.pack(">H", size) + _DATA[:size]


def _dns(client: bytes, server: bytes, port: int, number: int) -> Iterator[bytes]:
    labels = (f"svc-{number % 300}".encode(), b"shop", b"svc", b"cluster", b"local")
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\x00\x00\x01\x00\x01"
    for answered in (False, True):
        failed = number % 40 == 0
        flags = (0x8183 if failed else 0x8180) if answered else 0x0100
        records = 1 if answered and not failed else 0
        payload = struct.pack(">HHHHHH", number & 0xFFFF, flags, 1, records, 0, 0) + question
        if records:
            payload += b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\x0a\x60\x00\x14"
        ends = server + client if answered else client + server
        ports = (53, port) if answered else (port, 53)
        yield (
            _MAC
            + struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), number & 0xFFFF, 0x4000, 63, 17, 0)
            + ends
            + struct.pack(">HHHH", *ports, 8 + len(payload), 0)
            + payload
        )
