"""Where segments of TCP stand in their stream. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from workers.vantage.sighting import RST, SYN, Packet

_HALF, _WHOLE = 1 << 31, 1 << 32


class Range(NamedTuple):
    """From a segment's first byte to behind its last, counted from some byte of the stream."""

    begin: int
    end: int


def is_range(packet: Packet) -> bool:
    """Whether a packet has bytes of the stream (or its FIN) that may be merged with others."""
    return bool(packet.size) and not packet.flags & (SYN | RST)


def ranges(packets: Iterable[Packet], sequence: int) -> list[Range]:
    """Where each segment stands, counted from `sequence`; sequence numbers begin anew at 2^32."""
    found, at = [], 0
    for packet in packets:
        step = (packet.sequence - sequence + _HALF) % _WHOLE - _HALF
        at, sequence = at + step, packet.sequence
        found.append(Range(at, at + packet.size))
    return found
