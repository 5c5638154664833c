"""Counting flows: TCP and UDP conversations, exactly as `tshark -q -z conv,tcp -z conv,udp` counts. Pure.

Most packets of a capture are whole TCP or UDP over plain IPv4 on Ethernet: `Counting._mostly_plain` reads
those in place, with one unpacking of fixed offsets, and finds their direction by the twelve bytes of address
and port as they stand. All others go through `Counting._any`, to the same counters. Payload is looked at only
where it begins like a protocol that is known, or where a reader waits for more of it (`listening`).

What tshark does, followed here (tried on 4.0, read in packet-tcp.c, packet-udp.c, packet-ip.c):
- a SYN whose sequence number is not the one its side began with opens a new conversation on the same ports;
- a fragmented datagram counts once, at the fragment that completes it, with that frame's length;
- a header that was not captured whole does not count, nor does one with an impossible length;
- a flow in a tunnel counts like any other, and the tunnel's own flow besides, each with the whole frame.
"""

import socket
import struct
from collections.abc import Iterable
from typing import Literal

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.files.pcapfile import Packet
from workers.summary.flow import Flow, Tunnel
from workers.summary.flows.bins import Bins
from workers.summary.flows.conversation import FIN, OTHER, RST, SYN, Direction, Table
from workers.summary.flows.counted import Counted, counted
from workers.summary.flows.listening import STARTS, TCP_PORTS, UDP_PORTS, Listening
from workers.summary.flows.trouble import Trouble
from workers.summary.layers import carriers, layers
from workers.summary.layers.reassembly import Reassembly
from workers.summary.layers.tunnels import OVER_UDP, Inside, gre
from workers.summary.protocols.reader import Lone
from workers.summary.summary import Totals

_TCP_HEADER, _UDP_HEADER = 20, 8
_DEEPEST = 8  # tunnels in tunnels

# From the EtherType that stands before the IP header on: it with version and header length, total length,
# fragmentation, protocol, addresses and ports, then of TCP sequence number, header length, flags and window.
_PLAIN = struct.Struct(">3sxHxxHxBxx12sI4xBBH").unpack_from
_ACKNOWLEDGED = struct.Struct(">I").unpack_from
_IP_AT, _PLAIN_SIZE, _IP_HEADER = 2, 42, 20
_NOWHERE = 1 << 20  # behind the end of any packet
_TCP_HEADERS = [
    header if header >= _TCP_HEADER else _NOWHERE
    for header in ((offset >> 2) & 0x3C for offset in range(256))
]
_ETHERTYPE_AT = {layers.ETHERNET: 12, layers.LINUX_SLL: 14}

_TCP = struct.Struct(">IIBBH").unpack_from


def count(packets: Iterable[Packet], link_type: int) -> tuple[Totals, tuple[Flow, ...]]:
    """Totals and flows of packets of one link type."""
    counting = Counting()
    counting.packets(packets, link_type)
    found = counting.result()
    return found.totals, found.flows


class _Place:
    """Where a packet stands: what all its flows have in common."""

    __slots__ = ("data", "frame", "length", "time", "vlan")

    def __init__(self, data: bytes, length: int, time: int, frame: int) -> None:
        self.data = data
        self.length = length
        self.time = time
        self.frame = frame
        self.vlan = 0


class Counting:
    """One pass over a file; `packets` for each run of packets of one link type, then `result`.

    Args:
        payload: Whether packets are whole, so that what is said in them can be read.

    Attributes:
        unknown: Names of encapsulations in the file that only tshark opens.
    """

    def __init__(self, *, payload: bool = True) -> None:
        self._link_type = layers.ETHERNET
        self._starts = STARTS if payload else frozenset()
        self._tcp = Table("TCP", TCP_PORTS if payload else frozenset())
        self._udp = Table("UDP", UDP_PORTS if payload else frozenset())
        self._reassembly = Reassembly()
        self._begin: int | None = None
        self._frame = 0
        # Packets that belong to no flow, by kind; what belongs to one is summed up at the end.
        self._apart = dict.fromkeys(("icmp", "icmpv6", "arp", "fragments", "other"), 0)
        self._apart_bytes = 0
        self._first, self._last = 1 << 64, -1
        # What flows in tunnels count of packets that the tunnel's flow counts, too.
        self._twice = {"TCP": 0, "UDP": 0}
        self._twice_bytes = 0
        self.unknown: set[str] = set()

    def packets(self, packets: Iterable[Packet], link_type: int) -> None:
        """Counts packets.

        Args:
            packets: As `PcapFile.packets` gives them.
            link_type: Their LINKTYPE_ value. Of one that is not `layers.understood` only totals are counted.
        """
        self._link_type = link_type
        if not layers.understood(link_type):
            self.unknown.add(f"link type {link_type}")
        remaining = iter(packets)
        if self._begin is None:
            for first in remaining:
                self.one(first, link_type)
                break
        if link_type not in _ETHERTYPE_AT:
            for packet in remaining:
                self.one(packet, link_type)
        elif self._begin is not None:
            self._mostly_plain(remaining, _ETHERTYPE_AT[link_type])

    def one(self, packet: Packet, link_type: int) -> None:
        """Counts one packet, in the general way."""
        time = packet[4]
        if self._begin is None:
            self._begin = time
            self._bins = Bins(time)
            self._listening = Listening(time, self._bins)
            self._trouble = Trouble(self._listening)
        self._link_type = link_type
        self._frame += 1
        self._any(*packet, self._frame)

    def _mostly_plain(self, packets: Iterable[Packet], ethertype_at: int) -> None:  # noqa: C901, PLR0912, PLR0915, a call costs
        """The loop of every packet of a big file: what is common stands in it, the rest is in methods.

        Each step of the interpreter counts here. So a packet is taken for what most are: later than all
        before, in the same bin of the timeline, of an open connection, and the next in order there.
        """
        tcp, udp = self._tcp.sides.get, self._udp.sides.get
        bins, listening, trouble = self._bins, self._listening, self._trouble
        starts, first_bytes = self._starts, frozenset(start[0] for start in self._starts)
        to_ip = ethertype_at + _IP_AT
        shortest = ethertype_at + _PLAIN_SIZE
        # By the byte that says how long the TCP header is: where in the frame the payload begins.
        payload_at = [to_ip + _IP_HEADER + header for header in _TCP_HEADERS]
        frame = binned = self._frame
        current, begins, ends = bins.at(0)
        newest = begins = ends = -1  # so that the first packet looks for its bin
        kind, until, pieces = b"", 0, 0
        for data, start, captured, length, time in packets:
            frame += 1
            if captured < shortest:
                kind = b""
            else:
                kind, total, pieces, protocol, key, sequence, offset, flags, window = _PLAIN(
                    data, start + ethertype_at
                )
                until = total + to_ip
            if kind != b"\x08\x00\x45" or pieces & 0x3FFF or until > length:
                current[0] += frame - binned - 1
                self._any(data, start, captured, length, time, frame)
                binned, ends = frame, -1  # it may have made the bins wider
                newest = max(newest, time)
                continue
            behind = payload_at[offset]
            if protocol == 6 and behind <= until and behind <= captured:  # noqa: PLR2004
                if newest <= time < ends:
                    newest = time
                else:
                    newest = max(newest, time)
                    if not begins <= time < ends:
                        current[0] += frame - binned - 1
                        binned = frame - 1
                        current, begins, ends = bins.at(time)
                side = tcp(key)
                if flags & 7 or side is None or not side.settled:
                    payload = data[start + behind : start + min(captured, until)]
                    (acknowledged,) = _ACKNOWLEDGED(data, start + to_ip + 28)
                    header = sequence, acknowledged, flags, window
                    side = self._followed(key, header, until - behind, payload, time, frame)
                    if not side.packets:
                        side.first = time
                else:
                    if until != behind:
                        if sequence == side.next:
                            side.next = (sequence + until - behind) & 0xFFFFFFFF
                        else:
                            size = until - behind
                            ahead = (sequence + size - side.next) & 0xFFFFFFFF
                            if 0 < ahead < 0x80000000:  # noqa: PLR2004
                                side.next = (sequence + size) & 0xFFFFFFFF
                            elif side.advance(sequence, size, flags, time):
                                trouble.again(side, time, frame, size)
                        begin = start + behind
                        if side.listened or (
                            captured > behind
                            and data[begin] in first_bytes
                            and data[begin : begin + 4] in starts
                        ):
                            payload = data[begin : start + min(captured, until)]
                            listening.segment(side, sequence, payload, until - behind, time, frame)
                    if not window:
                        trouble.zero_window(side, time, frame)
            else:
                side = None
                if protocol == 17 and total >= 28 and sequence >> 16 >= 8:  # noqa: PLR2004, UDP's length
                    side = udp(key) or self._opened(key, frame)
                if side is None or side.carries:
                    current[0] += frame - binned - 1
                    self._any(data, start, captured, length, time, frame)
                    binned, ends = frame, -1
                    newest = max(newest, time)
                    continue
                newest = max(newest, time)
                if not begins <= time < ends:
                    current[0] += frame - binned - 1
                    binned = frame - 1
                    current, begins, ends = bins.at(time)
                if not side.packets:
                    side.first = time
                if side.listened:
                    payload = data[start + to_ip + 28 : start + min(captured, until)]
                    listening.datagram(side, payload, time, frame)
            side.packets += 1
            side.bytes += length
            current[side.way] += length
            if time == newest:
                side.last = time
            else:
                side.last = max(side.last, time)
                side.first = min(side.first, time)
        current[0] += frame - binned
        self._frame = frame

    def _any(self, data: bytes, start: int, captured: int, length: int, time: int, frame: int) -> None:
        """Counts a packet of whatever kind."""
        place = _Place(data, length, time, frame)
        end, wire_end = start + captured, start + length
        below = layers.network(self._link_type, data, start, end)
        place.vlan = below.vlan
        kind = self._network(below.ethertype, below.start, end, wire_end, place, None, 0)
        current = self._bins.at(time)[0]
        current[0] += 1
        if isinstance(kind, Direction):
            current[kind.way] += length
            return
        current[OTHER] += length
        self._apart[kind] += 1
        self._apart_bytes += length
        self._first, self._last = min(self._first, time), max(self._last, time)

    def _network(
        self,
        ethertype: int,
        start: int,
        end: int,
        wire_end: int,
        place: _Place,
        outside: Tunnel | None,
        deep: int,
    ) -> Direction | str:
        """Counts what stands behind a link layer or in a tunnel.

        Returns:
            The outermost flow the packet belongs to, or the kind of those that belong to none.
        """
        data = place.data
        if ethertype == layers.ARP:
            self._lone("arp", b"", b"", data[start:end], place)
            return "arp"
        found = layers.datagram(ethertype, data, start, end, wire_end)
        if found is None:
            if ethertype in carriers.ETHERTYPES:
                self.unknown.add(carriers.ETHERTYPES[ethertype])
            return "other"
        if found.fragment is not None and found.end <= end:
            return self._fragment(found, found.fragment, place, outside, deep)
        if found.fragment is not None and (found.fragment.offset or ethertype == layers.IPV6):
            return "fragments"
        # A first fragment of IPv4 that was not captured whole, so never reassembled, is taken for what it is.
        inside = found._replace(end=min(found.end, wire_end))
        whole = found.fragment is None
        return self._transport(inside, min(end, inside.end), place, outside, deep, whole=whole)

    def _fragment(
        self,
        found: layers.Datagram,
        fragment: layers.Fragment,
        place: _Place,
        outside: Tunnel | None,
        deep: int,
    ) -> Direction | str:
        tag = place.vlan if len(found.source) == 4 else 0  # noqa: PLR2004, as Wireshark: only IPv4 minds the VLAN
        whole = self._reassembly.add(
            (found.source, found.target, fragment.id, tag),
            fragment.offset,
            place.data[found.start : min(found.end, found.start + 512)],
            found.end - found.start,
            more=fragment.more,
        )
        if whole is None:
            return "fragments"
        inner = layers.Datagram(found.source, found.target, found.protocol, 0, whole.length, None)
        size = len(whole.beginning)
        put_together = _Place(whole.beginning, place.length, place.time, place.frame)
        put_together.vlan = place.vlan
        behind = layers.behind_extensions(inner, whole.beginning, size)
        return self._transport(behind, size, put_together, outside, deep)

    def _transport(
        self,
        found: layers.Datagram,
        end: int,
        place: _Place,
        outside: Tunnel | None,
        deep: int,
        *,
        whole: bool = True,
    ) -> Direction | str:
        at, protocol = found.start, found.protocol
        if protocol == layers.TCP and at + _TCP_HEADER <= end:
            return self._segment(found, end, place, outside, whole=whole) or "other"
        if protocol == layers.UDP and at + _UDP_HEADER <= end:
            return self._user_datagram(found, end, place, outside, deep)
        if protocol in (layers.ICMP, layers.ICMPV6):
            kind: Literal["icmp", "icmpv6"] = "icmp" if protocol == layers.ICMP else "icmpv6"
            self._lone(kind, found.source, found.target, place.data[at:end], place)
            return kind
        if protocol == layers.GRE:
            return self._inside(gre(place.data, at, end), "gre", None, found, end, place, deep)
        if protocol in (layers.IPV4_INSIDE, layers.IPV6_INSIDE):
            ethertype = layers.IPV4 if protocol == layers.IPV4_INSIDE else layers.IPV6
            return self._inside(Inside(ethertype, at), "ipip", None, found, end, place, deep)
        if protocol in carriers.IP_PROTOCOLS:
            self.unknown.add(carriers.IP_PROTOCOLS[protocol])
        return "other"

    def _inside(
        self,
        inside: Inside | None,
        kind: str,
        number: int | None,
        found: layers.Datagram,
        end: int,
        place: _Place,
        deep: int,
    ) -> Direction | str:
        """What a tunnel carries; `found` is the datagram around it."""
        if inside is None or inside.ethertype == layers.UNKNOWN:
            if kind == "gre":
                self.unknown.add("GRE of another kind")
            return "other"
        if deep >= _DEEPEST:
            return "other"
        tunnel = Tunnel(kind, number, _text(found.source), _text(found.target))
        ethertype, start = inside
        if ethertype == layers.BRIDGED:
            below = layers.network(layers.ETHERNET, place.data, start, end)
            ethertype, start = below.ethertype, below.start
        return self._network(ethertype, start, end, found.end, place, tunnel, deep + 1)

    def _segment(
        self, found: layers.Datagram, end: int, place: _Place, outside: Tunnel | None, *, whole: bool
    ) -> Direction | None:
        data, at, time, frame = place.data, found.start, place.time, place.frame
        sequence, acknowledged, offset, flags, window = _TCP(data, at + 4)
        header = (offset >> 4) * 4
        size = found.end - at - header
        if header < _TCP_HEADER or at + header > end:
            return None
        key = found.source + found.target + data[at : at + 4]
        payload = data[at + header : end]
        says = sequence, acknowledged, flags, window
        side = self._followed(key, says, size, payload, time, frame, whole=whole)
        self._hit(side, place, outside)
        return side

    def _followed(
        self,
        key: bytes,
        header: tuple[int, int, int, int],
        size: int,
        payload: bytes,
        time: int,
        frame: int,
        *,
        whole: bool = True,
    ) -> Direction:
        """The direction that a TCP segment belongs to, with all that changes there but packets and bytes.

        `header` is sequence and acknowledgement number, flags and window.
        """
        sequence, acknowledged, flags, window = header
        side = self._tcp.track(key, flags, sequence, acknowledged, time, frame, whole=whole)
        if size or flags & (SYN | FIN | RST):
            if side.advance(sequence, size, flags, time):
                self._trouble.again(side, time, frame, size)
            if size > 0 and (side.listened or payload[:4] in self._starts):
                self._listening.segment(side, sequence, payload, size, time, frame)
            if flags & (FIN | RST):
                self._trouble.closing(side, flags, time, frame)
        if not window and not flags & (SYN | FIN | RST):
            self._trouble.zero_window(side, time, frame)
        return side

    def _user_datagram(
        self, found: layers.Datagram, end: int, place: _Place, outside: Tunnel | None, deep: int
    ) -> Direction | str:
        data, at = place.data, found.start
        if (data[at + 4] << 8 | data[at + 5]) < _UDP_HEADER:
            return "other"
        key = found.source + found.target + data[at : at + 4]
        side = self._udp.sides.get(key) or self._opened(key, place.frame)
        self._hit(side, place, outside)
        if side.listened:
            self._listening.datagram(side, data[at + _UDP_HEADER : end], place.time, place.frame)
        if side.carries:
            self._tunnelled(found, end, place, deep)
        return side

    def _opened(self, key: bytes, frame: int) -> Direction:
        """A new conversation over UDP."""
        side = self._udp.open(key, frame)
        one, other = layers.u16(key, len(key) - 4), layers.u16(key, len(key) - 2)
        carrier = carriers.over_udp(one, other)
        if carrier is not None:
            self.unknown.add(carrier)
        side.carries = side.back.carries = one in OVER_UDP or other in OVER_UDP
        return side

    def _tunnelled(self, found: layers.Datagram, end: int, place: _Place, deep: int) -> None:
        """Counts the flow in a VXLAN or Geneve packet, whose own flow was counted already."""
        data, at = place.data, found.start
        target = layers.u16(data, at + 2)
        kind = "geneve" if 6081 in (target, layers.u16(data, at)) else "vxlan"  # noqa: PLR2004
        behind = OVER_UDP.get(target) or OVER_UDP[layers.u16(data, at)]
        inside = behind(data, at + _UDP_HEADER, end)
        if inside is None:
            return
        number = int.from_bytes(data[at + 12 : at + 15], "big")
        inner = self._inside(inside, kind, number, found, end, place, deep)
        if isinstance(inner, Direction):
            self._twice[inner.conversation.protocol] += 1
            self._twice_bytes += place.length

    def _hit(self, side: Direction, place: _Place, outside: Tunnel | None) -> None:
        time = place.time
        conversation = side.conversation
        if conversation.frame == place.frame and not side.packets:
            conversation.vlan = place.vlan or None
            conversation.outside = outside
        side.packets += 1
        side.bytes += place.length
        side.first, side.last = min(side.first, time), max(side.last, time)

    def _lone(
        self,
        kind: Literal["arp", "icmp", "icmpv6"],
        source: bytes,
        target: bytes,
        payload: bytes,
        place: _Place,
    ) -> None:
        seconds = self._listening.seconds(place.time)
        lone = Lone(kind, _text(source), _text(target), payload, seconds, place.frame)
        self._listening.lone(lone, place.time, self._quoted)

    def _quoted(self, error: Event) -> int | None:
        """The flow of the packet that an ICMP error quotes."""
        if error.source is None or error.target is None:
            return None
        ports = error.source.port.to_bytes(2, "big") + error.target.port.to_bytes(2, "big")
        table = self._tcp if error.numbers.get("protocol") == layers.TCP else self._udp
        side = table.sides.get(_packed(error.source.address) + _packed(error.target.address) + ports)
        return None if side is None else side.conversation.index

    def result(self) -> Counted:
        """All that was counted."""
        if self._begin is None:
            return Counted(Totals(), (), unknown=())
        conversations = self._tcp.conversations + self._udp.conversations
        self._listening.end(self._tcp.conversations)
        self._trouble.end(self._tcp.conversations)
        return counted(
            conversations,
            self._begin,
            (self._first, self._last),
            (self._apart, self._apart_bytes),
            (self._twice, self._twice_bytes),
            self._listening,
            self._bins,
            tuple(sorted(self.unknown)),
        )


def _text(address: bytes) -> str:
    return Endpoint.packed(address, 0).address if address else ""


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
