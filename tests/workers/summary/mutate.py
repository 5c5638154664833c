"""Capture files with faults: of each number the same, made from small files of every kind and format."""

import gzip
import random
import struct
from collections.abc import Callable, Sequence
from functools import cache

from tests.workers.summary import blocks, kinds, packets, spoken
from tests.workers.summary.packets import Record

_SHORT = 12
_INTERESTING = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_LONGEST = 8000


@cache
def corpus() -> tuple[bytes, ...]:
    """Files of a few kilobytes: kinds of packets, formats, protocols; gzipped ones are the last."""
    table = kinds.frames()
    files = []
    for name, (link_type, frames) in table.items():
        records = [Record(frame) for frame in _few(frames, name)]
        files.append(packets.pcap(records, link_type=link_type))
    for name, order, nanoseconds in (("VLAN", ">", False), ("SLL", "<", True)):
        records = [Record(frame, snaplen=kinds.CUT) for frame in table[name][1]]
        files.append(
            packets.pcap(records, link_type=table[name][0], byte_order=order, nanoseconds=nanoseconds)
        )
    for order in "<>":
        several = blocks.section(order)
        for link_type, _ in table.values():
            several += blocks.interface(link_type, order, blocks.option(9, b"\x09", order))
        several += blocks.block(4, blocks.option(1, b"\x0a\0\0\1shop\0", order), order)
        for number, (name, (_, frames)) in enumerate(table.items()):
            several += b"".join(blocks.packet(frame, 5, number, order) for frame in _few(frames, name)[:2])
        files.append(several)
    said = [make("Ab1" * 8) for make in spoken.SECRETLY.values()]
    files += [each[:_LONGEST] for each in (*said, spoken.names("cheddar"))]
    files.append(gzip.compress(files[0] + files[0][24:], mtime=0))
    return tuple(files)


def _few(frames: list[bytes], name: str) -> list[bytes]:
    begin = len(name) % max(1, len(frames) - _SHORT)
    return frames[begin : begin + _SHORT]


def mutated(number: int) -> bytes:
    """The file of this number: one of the corpus with one to four faults."""
    chance = random.Random(number)
    files = corpus()
    data = bytearray(files[number % len(files)])
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(_FAULTS)(data, chance, files)
    return bytes(data)


def _flip(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    for _each in range(chance.choice((1, 1, 3, 16))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _end(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _gap(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    begin = chance.randrange(len(data) + 1)
    del data[begin : begin + chance.choice((1, 2, 4, 16, 300))]


def _number(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """A number of one, two or four bytes becomes another; half of the time a length in a packet's header."""
    size = chance.choice((1, 2, 4))
    at = chance.randrange(len(data) + 1)
    if chance.random() < 0.5 and (places := _lengths(data)):
        at, size = chance.choice(places), 4
    value = chance.choice(_INTERESTING) + chance.choice((0, 0, 1, -1))
    raw = (value & ((1 << 8 * size) - 1)).to_bytes(size, chance.choice(("little", "big")))
    data[at : at + size] = raw


def _lengths(data: bytearray) -> list[int]:
    """Where lengths of records of a pcap file, or of blocks of a pcapng file, stand."""
    order = ">" if data[:2] == b"\xa1\xb2" or data[8:10] == b"\x1a\x2b" else "<"
    pcapng = data[:4] == b"\x0a\x0d\x0d\x0a"
    found, at = [], 0 if pcapng else 24
    while at + 16 <= len(data) and len(found) < 1000:
        place = at + (4 if pcapng else 8)
        found += [place] if pcapng else [place, place + 4]
        (size,) = struct.unpack_from(order + "I", data, place)
        at += max(size, 1) if pcapng else 16 + size
    return found


def _swap(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    size = chance.choice((4, 16, 64, 200))
    one, other = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    if one + size <= other:
        data[one : one + size], data[other : other + size] = (
            data[other : other + size],
            data[one : one + size],
        )


def _again(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    begin, at = chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)
    data[at:at] = data[begin : begin + chance.choice((8, 100, 600))]


def _strange(data: bytearray, chance: random.Random, files: Sequence[bytes]) -> None:
    """Bytes of another file."""
    other = chance.choice(files)
    begin, at = chance.randrange(len(other)), chance.randrange(len(data) + 1)
    size = chance.choice((4, 40, 400))
    data[at : at + chance.choice((0, size))] = other[begin : begin + size]


_FAULTS: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    _flip,
    _flip,
    _end,
    _gap,
    _number,
    _number,
    _number,
    _swap,
    _again,
    _strange,
)
