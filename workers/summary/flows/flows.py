"""Counting flows: TCP and UDP conversations, exactly as `tshark -q -z conv,tcp -z conv,udp` counts. Pure.

Most packets of a capture are whole TCP or UDP over plain IPv4 on Ethernet: `_Counter.mostly_plain` reads
those in place, with one unpacking of fixed offsets, and finds their direction by the twelve bytes of address
and port as they stand. All others go through `layers`, to the same counters.

What tshark does, followed here (tried on 4.0, read in packet-tcp.c, packet-udp.c, packet-ip.c):
- a SYN whose sequence number is not the one its side began with opens a new conversation on the same ports;
- a fragmented datagram counts once, at the fragment that completes it, with that frame's length;
- a header that was not captured whole does not count, nor does one with an impossible length.
"""

import struct
from collections.abc import Iterable

from workers.summary.files.pcapfile import Packet
from workers.summary.flow import Flow
from workers.summary.flows.conversation import FIN, RST, SYN, Direction, Table
from workers.summary.layers import layers
from workers.summary.layers.reassembly import Reassembly
from workers.summary.summary import Totals

_IPV4_PLAIN = 0x45  # version 4, a header without options
_FRAGMENTED = 0x3FFF
_TCP_HEADER, _UDP_HEADER = 20, 8

# From the EtherType that stands before the IP header on: EtherType, version and header length, total length,
# fragmentation, protocol, then of TCP sequence and acknowledgement number, header length and flags.
_PLAIN = struct.Struct(">HBxHxxHxB14xIIBB").unpack_from
_IP_AT, _KEY_AT, _KEY_END, _PLAIN_SIZE = 2, 14, 26, 42
_ETHERTYPE_AT = {layers.ETHERNET: 12, layers.LINUX_SLL: 14}

_TCP = struct.Struct(">IIBB").unpack_from


def count(packets: Iterable[Packet], link_type: int) -> tuple[Totals, tuple[Flow, ...]]:
    """Counts a file's packets.

    Args:
        packets: As `PcapFile.packets` gives them.
        link_type: The file's LINKTYPE_ value. Of one that is not `layers.understood` only totals are counted.

    Returns:
        The totals, and the flows in the order of their first packets, TCP before UDP.
    """
    counter = _Counter(link_type)
    if link_type in _ETHERTYPE_AT:
        counter.mostly_plain(packets, _ETHERTYPE_AT[link_type])
    else:
        for packet in packets:
            counter.any(*packet)
    return counter.result()


class _Counter:
    def __init__(self, link_type: int) -> None:
        self._link_type = link_type
        self._tcp, self._udp = Table("TCP"), Table("UDP")
        self._reassembly = Reassembly()
        self._begin: int | None = None
        # Packets that belong to no flow, by kind; what belongs to one is summed up at the end.
        self._apart = dict.fromkeys(("icmp", "icmpv6", "arp", "fragments", "other"), 0)
        self._apart_bytes = 0
        self._first, self._last = _NEVER, -1

    def mostly_plain(self, packets: Iterable[Packet], ethertype_at: int) -> None:  # noqa: C901, PLR0912, a call costs
        """The loop of every packet of a big file: what is common stands in it, the rest is in `any`."""
        tcp, track, udp = self._tcp.sides, self._tcp.track, self._udp.sides
        to_ip = ethertype_at + _IP_AT
        shortest = ethertype_at + _PLAIN_SIZE
        remaining = iter(packets)
        for first in remaining:
            self.any(*first)
            break
        for data, start, captured, length, time in remaining:
            if captured < shortest:
                self.any(data, start, captured, length, time)
                continue
            at = start + ethertype_at
            ethertype, version, total, pieces, protocol, sequence, acknowledged, offset, flags = _PLAIN(
                data, at
            )
            header = (offset >> 2) & 0x3C
            size = total - 20 - header
            if (
                ethertype != 0x0800  # noqa: PLR2004, a name would be looked up for every packet
                or version != 0x45  # noqa: PLR2004
                or pieces & 0x3FFF
                or total + to_ip > length
            ):
                self.any(data, start, captured, length, time)
            elif protocol == 6 and size >= 0 and header >= 20 and captured >= to_ip + 20 + header:  # noqa: PLR2004
                key = data[at + _KEY_AT : at + _KEY_END]
                side = tcp.get(key)
                if side is None or flags & 2 or not side.settled:
                    side = track(key, flags, sequence, acknowledged, time)
                side.packets += 1
                side.bytes += length
                if time > side.last:  # noqa: PLR1730, max() is a call
                    side.last = time
                if time < side.first:  # noqa: PLR1730
                    side.first = time
                if size or flags & 7:
                    ahead = (sequence + size - side.next) & 0xFFFFFFFF
                    if 0 < ahead < 0x80000000 and not flags & 7:  # noqa: PLR2004, the next data in order
                        side.next = (sequence + size) & 0xFFFFFFFF
                    else:
                        side.advance(sequence, size, flags)
            else:
                side = udp.get(data[at + _KEY_AT : at + _KEY_END]) if protocol == 17 else None  # noqa: PLR2004
                if side is None or total < 28 or sequence >> 16 < 8:  # noqa: PLR2004, UDP's length
                    self.any(data, start, captured, length, time)
                    continue
                side.packets += 1
                side.bytes += length
                if time > side.last:
                    side.last = time
                elif time < side.first:
                    side.first = time

    def any(self, data: bytes, start: int, captured: int, length: int, time: int) -> None:
        """Counts a packet of whatever kind."""
        if self._begin is None:
            self._begin = time
        kind = self._flow_or_kind(data, start, start + captured, start + length, time)
        if isinstance(kind, Direction):
            kind.packets += 1
            kind.bytes += length
            kind.first, kind.last = min(kind.first, time), max(kind.last, time)
        else:
            self._apart[kind] += 1
            self._apart_bytes += length
            self._first, self._last = min(self._first, time), max(self._last, time)

    def _flow_or_kind(self, data: bytes, start: int, end: int, wire_end: int, time: int) -> Direction | str:
        below = layers.network(self._link_type, data, start, end)
        if below.ethertype == layers.ARP:
            return "arp"
        found = layers.datagram(below.ethertype, data, below.start, end, wire_end)
        if found is None:
            return "other"
        if found.fragment is not None and found.end <= end:
            return self._fragment(found, found.fragment, below.vlan, data, time)
        if found.fragment is not None and (found.fragment.offset or below.ethertype == layers.IPV6):
            return "fragments"
        # A first fragment of IPv4 that was not captured whole, so never reassembled, is taken for what it is.
        inside = found._replace(end=min(found.end, wire_end))
        return self._transport(inside, data, min(end, inside.end), time, whole=found.fragment is None)

    def _fragment(
        self, found: layers.Datagram, fragment: layers.Fragment, vlan: int, data: bytes, time: int
    ) -> Direction | str:
        tag = vlan if len(found.source) == 4 else 0  # noqa: PLR2004, as Wireshark: only IPv4 minds the VLAN
        whole = self._reassembly.add(
            (found.source, found.target, fragment.id, tag),
            fragment.offset,
            data[found.start : min(found.end, found.start + 512)],
            found.end - found.start,
            more=fragment.more,
        )
        if whole is None:
            return "fragments"
        inner = layers.Datagram(found.source, found.target, found.protocol, 0, whole.length, None)
        size = len(whole.beginning)
        return self._transport(
            layers.behind_extensions(inner, whole.beginning, size), whole.beginning, size, time
        )

    def _transport(
        self, found: layers.Datagram, data: bytes, end: int, time: int, *, whole: bool = True
    ) -> Direction | str:
        """The direction the datagram belongs to, or the kind of those that belong to none."""
        at = found.start
        if found.protocol == layers.TCP and at + _TCP_HEADER <= end:
            return self._segment(found, data, end, time, whole=whole) or "other"
        if found.protocol == layers.UDP and at + _UDP_HEADER <= end:
            if (data[at + 4] << 8 | data[at + 5]) < _UDP_HEADER:
                return "other"
            key = found.source + found.target + data[at : at + 4]
            return self._udp.sides.get(key) or self._udp.open(key)
        if found.protocol == layers.ICMP:
            return "icmp"
        return "icmpv6" if found.protocol == layers.ICMPV6 else "other"

    def _segment(
        self, found: layers.Datagram, data: bytes, end: int, time: int, *, whole: bool
    ) -> Direction | None:
        at = found.start
        sequence, acknowledged, offset, flags = _TCP(data, at + 4)
        header = (offset >> 4) * 4
        size = found.end - at - header
        if header < _TCP_HEADER or at + header > end:
            return None
        key = found.source + found.target + data[at : at + 4]
        side = self._tcp.track(key, flags, sequence, acknowledged, time, whole=whole)
        if size or flags & (SYN | FIN | RST):
            side.advance(sequence, size, flags)
        return side

    def result(self) -> tuple[Totals, tuple[Flow, ...]]:
        if self._begin is None:
            return Totals(), ()
        begin = self._begin
        conversations = self._tcp.conversations + self._udp.conversations
        flows = tuple(conversation.flow(begin) for conversation in conversations)
        tcp = sum(flow.packets for flow in flows if flow.protocol == "TCP")
        udp = sum(flow.packets for flow in flows if flow.protocol == "UDP")
        first = min((min(each.forth.first, each.back.first) for each in conversations), default=_NEVER)
        last = max((max(each.forth.last, each.back.last) for each in conversations), default=-1)
        totals = Totals(
            tcp + udp + sum(self._apart.values()),
            sum(flow.bytes for flow in flows) + self._apart_bytes,
            min(first, self._first),
            max(last, self._last),
            tcp,
            udp,
            **self._apart,
        )
        return totals, flows


_NEVER = 1 << 64
