"""From the merged file to what each vantage point saw of each connection, in one pass. Pure.

TCP, UDP and ICMP's echo, over IPv4 and IPv6, also inside VXLAN, Geneve, GRE and IP in IP: of a tunnel what it
carries counts, not the tunnel. Headers are enough. No more is held in memory than `MOST_PACKETS` take at 32
bytes each and `MOST_SIGHTINGS` beside them; what is beyond is counted.
"""

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from workers.pcapng.own_file import Interface, Packet
from workers.summary.layers import layers
from workers.summary.layers.layers import u16
from workers.summary.layers.tunnels import OVER_UDP, Inside, gre
from workers.vantage.passage import Protocol
from workers.vantage.sighting import ACK, FIN, ICMP, SYN, TCP, UDP, Sighting, marks

MOST_PACKETS = 4_000_000
"""More than a file of the largest size has."""

MOST_SIGHTINGS = 300_000
"""Connections at all vantage points together: a flood has one for each of its packets."""

_LOOKS = 4096
"""Packets from one look at the time to the next."""

_DEEPEST = 4  # tunnels in tunnels
_TCP_HEADER, _UDP_HEADER, _ECHO_HEADER = 20, 8, 8
_SYNS = 8  # of one connection, by which it is known again
_TELLING = 64
"""Bytes of a datagram's payload that tell it from others."""

_ECHOES = {(layers.ICMP, 8): True, (layers.ICMP, 0): False, (layers.ICMPV6, 128): True}
_ECHOES[layers.ICMPV6, 129] = False
_TIMESTAMP = 8

# From the EtherType of a frame without VLAN tags on: EtherType, IP version and header length, total length,
# identification, fragmentation, time to live, protocol; of TCP both numbers, header length, flags.
_PLAIN = struct.Struct(">HBxHHHBB14xIIBB").unpack_from
_PLAIN_AT, _PLAIN_KEY, _PLAIN_KEY_END, _PLAIN_SIZE = 12, 26, 38, 54
_NO_OPTIONS, _IPV4_HEADER, _SHORTEST_OFFSET = 0x45, 20, 0x50
_TCP_FIELDS = struct.Struct(">IIBB").unpack_from


@dataclass(slots=True)
class Sightings:
    """What was seen.

    Attributes:
        found: In the order of their first packets.
        first: When each vantage point's first packet came, None without any.
        last: Likewise the last.
        beyond: Packets that were too many to be held.
        until: From when on no packet is held any more, in nanoseconds since 1970; None where all are.
        crowded: Likewise no new connection.
        early: Whether time was over before the file was.
    """

    found: list[Sighting] = field(default_factory=list)
    first: list[int | None] = field(default_factory=list)
    last: list[int | None] = field(default_factory=list)
    beyond: int = 0
    until: int | None = None
    crowded: int | None = None
    early: bool = False


def sightings(
    packets: Iterable[Packet], interfaces: Sequence[Interface], count: int, over: Callable[[], bool]
) -> Sightings:
    """What each of `count` vantage points saw.

    Args:
        packets: Of the merged file, in its order.
        interfaces: Those of the file; all are there when its first packet is.
        count: How many vantage points there are: the file's interfaces.
        over: Whether time is over. Asked now and then.
    """
    reading = _Reading(count)
    first, last, beyond = reading.seen.first, reading.seen.last, 0
    for frame, (number, data, start, captured, length, time) in enumerate(packets, 1):
        if number >= count:
            continue
        if not frame % _LOOKS and over():
            reading.seen.early, reading.seen.until = True, time
            break
        if first[number] is None:
            first[number] = time
        last[number] = time
        link_type = interfaces[number].link_type
        if link_type != layers.ETHERNET or not reading.plain(number, data, start, captured):
            reading.packet(number, link_type, data, start, start + captured, start + length)
        if reading.add is not None:
            reading.add.extend((time, reading.said, reading.marks, frame))
        elif reading.seen.beyond != beyond:
            beyond = reading.seen.beyond
            reading.say_until(time)
    reading.seen.found = [each for each in reading.seen.found if any(each.ways)]
    return reading.seen


_Key = tuple[int, bool, bytes, bytes, Protocol]
_Known = tuple[Sighting, int, "array[int]"]


class _Reading:
    """The pass over the file.

    Attributes:
        add: Where the packet that was read last belongs; None when it belongs nowhere.
        said: Of that packet, as in `sighting.Packet`; `marks` likewise.
    """

    def __init__(self, count: int) -> None:
        self.seen = Sightings(first=[None] * count, last=[None] * count)
        self.add: array[int] | None = None
        self.said = self.marks = 0
        self._known: dict[_Key, _Known] = {}
        self._plain: list[dict[bytes, array[int]]] = [{} for _ in range(count)]
        self._packets = 0
        self._number = self._identity = self._hops = 0
        self._tunnelled = False

    def say_until(self, time: int) -> None:
        """A packet of this time was one too many."""
        seen = self.seen
        if self._packets >= MOST_PACKETS:
            seen.until = time if seen.until is None else seen.until
        else:
            seen.crowded = time if seen.crowded is None else seen.crowded

    def plain(self, number: int, data: bytes, start: int, captured: int) -> bool:
        """Reads what most packets are, TCP over IPv4 of a connection that is known; False when it is none."""
        if captured < _PLAIN_SIZE:
            return False
        kind, version, total, identity, fragment, hops, protocol, sequence, acknowledged, offset, flags = (
            _PLAIN(data, start + _PLAIN_AT)
        )
        if kind != layers.IPV4 or version != _NO_OPTIONS or protocol != layers.TCP or fragment & 0x3FFF:
            return False
        size = total - _IPV4_HEADER - (offset >> 4) * 4
        if flags & SYN or offset < _SHORTEST_OFFSET or size < 0:
            return False
        add = self._plain[number].get(data[start + _PLAIN_KEY : start + _PLAIN_KEY_END])
        if add is None:
            return False
        self._identity, self._hops = identity, hops
        self._put(add, sequence << 32 | (acknowledged if flags & ACK else 0), size + (flags & FIN), flags)
        return True

    def packet(self, number: int, link_type: int, data: bytes, start: int, end: int, wire_end: int) -> None:
        """Reads one, and says by `add` where it belongs."""
        self.add, self._number, self._tunnelled = None, number, False
        below = layers.network(link_type, data, start, end)
        ethertype, at = below.ethertype, below.start
        for _ in range(_DEEPEST):
            found = layers.datagram(ethertype, data, at, end, wire_end)
            if found is None or (found.fragment is not None and found.fragment.offset):
                return
            inside = _inside(found, data, end)
            if inside is None:
                self._transport(found, data, at, end)
                return
            self._tunnelled, wire_end = True, found.end
            ethertype, at = inside
            if ethertype == layers.BRIDGED:
                below = layers.network(layers.ETHERNET, data, at, end)
                ethertype, at = below.ethertype, below.start

    def _transport(self, found: layers.Datagram, data: bytes, header: int, end: int) -> None:
        end = min(end, found.end)
        if len(found.source) == 4:  # noqa: PLR2004, bytes of IPv4
            self._identity, self._hops = u16(data, header + 4), data[header + 8]
        else:
            self._identity, self._hops = 0, data[header + 7]
        if found.protocol == layers.TCP:
            if found.start + _TCP_HEADER <= end:
                self._segment(found, data, end)
        elif found.protocol == layers.UDP:
            if found.start + _UDP_HEADER <= end:
                self._datagram(found, data, end)
        elif found.protocol in (layers.ICMP, layers.ICMPV6) and found.start + _ECHO_HEADER <= end:
            self._echo(found, data, end)

    def _segment(self, found: layers.Datagram, data: bytes, end: int) -> None:
        at = found.start
        sequence, acknowledged, offset, flags = _TCP_FIELDS(data, at + 4)
        header = (offset >> 4) * 4
        size = found.end - at - header
        if header < _TCP_HEADER or size < 0:
            return
        source, target = found.source + data[at : at + 2], found.target + data[at + 2 : at + 4]
        key = (self._number, self._tunnelled, source, target, TCP)
        known = self._known.get(key)
        opens = flags & (SYN | ACK) == SYN
        if known is None or (opens and _another(known, sequence)):
            known = self._new(key)
            if known is None:
                return
        sighting, way, add = known
        if flags & SYN:
            size += 1
            if opens:
                sighting.opener, sighting.begun = way, sequence
                if len(sighting.syns) < _SYNS:
                    stamp = _stamp(data, at + _TCP_HEADER, min(end, at + header))
                    sighting.syns.append((stamp, self._identity))
            elif sighting.answered is None and (sighting.begun is None or sighting.opener == 1 - way):
                sighting.opener, sighting.answered = 1 - way, sequence
                sighting.begun = (acknowledged - 1) & 0xFFFFFFFF
        if not self._tunnelled and len(source) == 6:  # noqa: PLR2004, bytes of an IPv4 address and a port
            self._plain[self._number][_as_it_stands(source, target)] = add
        self._put(add, sequence << 32 | (acknowledged if flags & ACK else 0), size + (flags & FIN), flags)

    def _datagram(self, found: layers.Datagram, data: bytes, end: int) -> None:
        at = found.start
        size = u16(data, at + 4) - _UDP_HEADER
        if size < 0:
            return
        source, target = found.source + data[at : at + 2], found.target + data[at + 2 : at + 4]
        key = (self._number, self._tunnelled, source, target, UDP)
        known = self._known.get(key) or self._new(key)
        if known is not None:
            said = _fingerprint(data, at + _UDP_HEADER, end, size, 0)
            self._put(known[2], said, size)

    def _echo(self, found: layers.Datagram, data: bytes, end: int) -> None:
        at = found.start
        request = _ECHOES.get((found.protocol, data[at]))
        if request is None:
            return
        source, target = found.source + data[at + 4 : at + 6], found.target + data[at + 4 : at + 6]
        key = (self._number, self._tunnelled, source, target, ICMP)
        known = self._known.get(key) or self._new(key)
        if known is None:
            return
        sighting, way, add = known
        sighting.opener = way if request else 1 - way
        size = found.end - at - _ECHO_HEADER
        order = u16(data, at + 6) + 1
        said = _fingerprint(data, at + _ECHO_HEADER, end, size, order) or order
        self._put(add, said, max(0, size))

    def _new(self, key: _Key) -> _Known | None:
        if len(self.seen.found) >= MOST_SIGHTINGS:
            self.seen.beyond += 1
            return None
        number, tunnelled, source, target, protocol = key
        self._plain[number].pop(_as_it_stands(target, source), None)
        sighting = Sighting(number, protocol, (source, target), tunnelled=tunnelled)
        self.seen.found.append(sighting)
        out, back = sighting.ways
        self._known[number, tunnelled, target, source, protocol] = (sighting, 1, back)
        self._known[key] = (sighting, 0, out)
        return self._known[key]

    def _put(self, add: "array[int]", said: int, size: int, flags: int = 0) -> None:
        if self._packets >= MOST_PACKETS:
            self.seen.beyond += 1
            self.add = None
            return
        self._packets += 1
        self.add, self.said = add, said
        self.marks = marks(size, flags, self._identity, self._hops)


def _as_it_stands(source: bytes, target: bytes) -> bytes:
    """Addresses and ports of two ends in the order that they have in a packet of IPv4."""
    return source[:4] + target[:4] + source[4:] + target[4:]


def _inside(found: layers.Datagram, data: bytes, end: int) -> Inside | None:
    """What the datagram carries, where it is a tunnel."""
    end = min(end, found.end)
    at = found.start
    if found.fragment is not None:
        return None
    if found.protocol == layers.UDP:
        if at + _UDP_HEADER > end:
            return None
        carried = OVER_UDP.get(u16(data, at + 2))
        return carried(data, at + _UDP_HEADER, end) if carried else None
    if found.protocol == layers.GRE:
        return gre(data, at, end)
    if found.protocol == layers.IPV4_INSIDE:
        return Inside(layers.IPV4, at)
    return Inside(layers.IPV6, at) if found.protocol == layers.IPV6_INSIDE else None


def _another(known: _Known, sequence: int) -> bool:
    """Whether a SYN opens another connection between the same ends."""
    sighting, way, _ = known
    begun = sighting.begun if sighting.opener == way else None
    return begun != sequence and any(sighting.ways)


def _stamp(data: bytes, at: int, end: int) -> int:
    """The timestamp among a segment's options (RFC 7323), 0 when there is none."""
    while at < end and data[at]:
        if data[at] == 1:
            at += 1
            continue
        if at + 2 > end or data[at + 1] < 2:  # noqa: PLR2004, kind and length
            return 0
        if data[at] == _TIMESTAMP and at + 6 <= end:
            return int.from_bytes(data[at + 2 : at + 6], "big")
        at += data[at + 1]
    return 0


def _fingerprint(data: bytes, at: int, end: int, size: int, beside: int) -> int:
    """A number that differs with the beginning of what is carried; 0 where that was not captured."""
    telling = min(size, _TELLING)
    if telling <= 0 or at + telling > end:
        return 0
    return crc32(data[at : at + telling], beside) << 32 | size & 0xFFFF | 1 << 16
