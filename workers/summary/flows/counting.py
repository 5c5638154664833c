"""Counting flows: TCP and UDP conversations, exactly as `tshark -q -z conv,tcp -z conv,udp` counts. Pure.

Payload is looked at only where it begins like a protocol that is known, or where a reader waits for more of
it (`listening`). This is the path of every packet of a big file; compiled (docs/summary.md), its numbers are
those of the machine (`i64`), so what is simple here is also quick.

What tshark does, followed here (tried on 4.0, read in packet-tcp.c, packet-udp.c, packet-ip.c):
- a SYN whose sequence number is not the one its side began with opens a new conversation on the same ports;
- a fragmented datagram counts once, at the fragment that completes it, with that frame's length;
- a header that was not captured whole does not count, nor does one with an impossible length;
- a flow in a tunnel counts like any other, and the tunnel's own flow besides, each with the whole frame.
"""

import socket
from typing import Final, Literal, final

from mypy_extensions import i64

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.files.packets import EARLIEST, LATEST, Packets
from workers.summary.flow import Tunnel
from workers.summary.flows.bins import Bins
from workers.summary.flows.conversation import FIN, OTHER, RST, SYN, Direction
from workers.summary.flows.counted import Counted, counted
from workers.summary.flows.listening import STARTS, TCP_PORTS, UDP_PORTS, Listening
from workers.summary.flows.table import Table
from workers.summary.flows.trouble import Trouble
from workers.summary.layers import carriers, layers
from workers.summary.layers.layers import u16, u32
from workers.summary.layers.reassembly import Reassembly
from workers.summary.layers.tunnels import OVER_UDP, Inside, gre
from workers.summary.protocols.reader import Lone
from workers.summary.summary import Totals

_TCP_HEADER: Final = 20
_UDP_HEADER: Final = 8
_SLL2_INDEX: Final = 4
_DEEPEST: Final = 8  # tunnels in tunnels
_MOST_INTERFACES = 8


@final
class _Place:
    """Where a packet stands: what all its flows have in common."""

    __slots__ = ("data", "frame", "length", "time", "vlan")

    def __init__(self, data: bytes, length: i64, time: i64, frame: i64, vlan: i64) -> None:
        self.data = data
        self.length: i64 = length
        self.time: i64 = time
        self.frame: i64 = frame
        self.vlan: i64 = vlan


@final
class Counting:
    """One pass over files: `file` for each, then `result`.

    Args:
        payload: Whether packets are whole, so that what is said in them can be read.

    Attributes:
        unknown: Names of encapsulations in the file that only tshark opens.
        interfaces: Indexes of those that packets were captured at (LINKTYPE_LINUX_SLL2 has them); 8 at most.
    """

    def __init__(self, *, payload: bool = True) -> None:
        self._starts = STARTS if payload else frozenset()
        # By the first byte of a payload: whether it can be one of `_starts`.
        first_bytes = {start[0] for start in self._starts}
        self._begins = bytes(byte in first_bytes for byte in range(256))
        self._tcp = Table("TCP", TCP_PORTS if payload else frozenset())
        self._udp = Table("UDP", UDP_PORTS if payload else frozenset())
        self._reassembly = Reassembly()
        self._bins = Bins()
        self._listening = Listening(self._bins)
        self._trouble = Trouble(self._listening)
        self._frame: i64 = 0
        # Packets that belong to no flow, by kind; what belongs to one is summed up at the end.
        self._apart = dict.fromkeys(("icmp", "icmpv6", "arp", "fragments", "other"), 0)
        self._apart_bytes: i64 = 0
        self._first: i64 = LATEST
        self._last: i64 = EARLIEST
        # What flows in tunnels count of packets that the tunnel's flow counts, too.
        self._twice = {"TCP": 0, "UDP": 0}
        self._twice_bytes: i64 = 0
        self.unknown: set[str] = set()
        self.interfaces: set[int] = set()

    def file(self, file: Packets) -> None:
        """Counts the packets of a file; of a link type that is not `layers.understood` only totals."""
        understood: i64 = layers.ETHERNET
        while file.next():
            if not self._frame:
                self._bins.start(file.time)
            link_type = file.link_type
            if link_type != understood:
                if not layers.understood(link_type):
                    self.unknown.add(f"link type {link_type}")
                understood = link_type
            self._frame += 1
            if link_type == layers.LINUX_SLL2:
                self._captured_at(file)
            self._packet(file.data, file.start, file.captured, file.length, file.time, link_type)

    def _captured_at(self, file: Packets) -> None:
        if file.captured >= _SLL2_INDEX + 4 and len(self.interfaces) < _MOST_INTERFACES:
            self.interfaces.add(u32(file.data, file.start + _SLL2_INDEX))

    def _packet(self, data: bytes, start: i64, captured: i64, length: i64, time: i64, link_type: i64) -> None:
        end = start + captured
        below = layers.network(link_type, data, start, end)
        place = _Place(data, length, time, self._frame, below.vlan)
        kind = self._network(below.ethertype, below.start, end, start + length, place, None, 0)
        if isinstance(kind, Direction):
            self._bins.add(time, kind.way, length)
            return
        self._bins.add(time, OTHER, length)
        self._apart[kind] += 1
        self._apart_bytes += length
        self._first, self._last = min(self._first, time), max(self._last, time)

    def _network(
        self,
        ethertype: i64,
        start: i64,
        end: i64,
        wire_end: i64,
        place: _Place,
        outside: Tunnel | None,
        deep: i64,
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
        found.end = min(found.end, wire_end)
        whole = found.fragment is None
        return self._transport(found, min(end, found.end), place, outside, deep, whole=whole)

    def _fragment(
        self,
        found: layers.Datagram,
        fragment: layers.Fragment,
        place: _Place,
        outside: Tunnel | None,
        deep: i64,
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
        size = len(whole.beginning)
        inner = layers.Datagram(found.addresses, found.protocol, 0, whole.length)
        layers.go_behind_extensions(inner, whole.beginning, size)
        put_together = _Place(whole.beginning, place.length, place.time, place.frame, place.vlan)
        return self._transport(inner, size, put_together, outside, deep)

    def _transport(
        self,
        found: layers.Datagram,
        end: i64,
        place: _Place,
        outside: Tunnel | None,
        deep: i64,
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
            self._lone(kind, found.source, found.target, place.data[at : max(at, end)], place)
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
        end: i64,
        place: _Place,
        deep: i64,
    ) -> Direction | str:
        """What a tunnel carries; `found` is the datagram around it."""
        if inside is None or inside.ethertype == layers.UNKNOWN:
            if kind == "gre":
                self.unknown.add("GRE of another kind")
            return "other"
        if deep >= _DEEPEST:
            self.unknown.add("tunnels in more than 8 tunnels")
            return "other"
        tunnel = Tunnel(kind, number, _text(found.source), _text(found.target))
        ethertype: i64 = inside.ethertype
        start: i64 = inside.start
        if ethertype == layers.BRIDGED:
            below = layers.network(layers.ETHERNET, place.data, start, end)
            ethertype, start = below.ethertype, below.start
        return self._network(ethertype, start, end, found.end, place, tunnel, deep + 1)

    def _segment(
        self, found: layers.Datagram, end: i64, place: _Place, outside: Tunnel | None, *, whole: bool
    ) -> Direction | None:
        data, at, time, frame = place.data, found.start, place.time, place.frame
        header: i64 = (data[at + 12] >> 4) * 4
        if header < _TCP_HEADER or at + header > end:
            return None
        sequence = u32(data, at + 4)
        flags: i64 = data[at + 13]
        window = u16(data, at + 14)
        key = found.addresses + data[at : at + 4]
        side = self._tcp.sides.get(key)
        if side is None or not side.settled or flags & (SYN | FIN | RST):
            side = self._tcp.track(key, flags, sequence, u32(data, at + 8), time, frame, whole=whole)
        begin = at + header
        size = found.end - begin
        if size or flags & (SYN | FIN | RST):
            if side.advance(sequence, size, flags, time):
                self._trouble.again(side, time, frame, size)
            if size > 0 and (side.listened or self._is_start(data, begin, end)):
                self._listening.segment(side, sequence, data[begin:end], size, time, frame)
            if flags & (FIN | RST):
                self._trouble.closing(side, flags, time, frame)
        if not window and not flags & (SYN | FIN | RST):
            self._trouble.zero_window(side, time, frame)
        self._hit(side, place, outside)
        return side

    def _is_start(self, data: bytes, begin: i64, end: i64) -> bool:
        """Whether a payload begins as somebody wants to read it."""
        return (
            begin < end
            and self._begins[data[begin]] != 0
            and data[begin : min(begin + 4, end)] in self._starts
        )

    def _user_datagram(
        self, found: layers.Datagram, end: i64, place: _Place, outside: Tunnel | None, deep: i64
    ) -> Direction | str:
        data, at = place.data, found.start
        if u16(data, at + 4) < _UDP_HEADER:
            return "other"
        key = found.addresses + data[at : at + 4]
        side = self._udp.sides.get(key)
        if side is None:
            side = self._opened(key, place.frame)
        self._hit(side, place, outside)
        if side.listened:
            self._listening.datagram(side, data[at + _UDP_HEADER : end], place.time, place.frame)
        if side.carries:
            self._tunnelled(found, end, place, deep)
        return side

    def _opened(self, key: bytes, frame: i64) -> Direction:
        """A new conversation over UDP."""
        side = self._udp.open(key, frame)
        one, other = u16(key, len(key) - 4), u16(key, len(key) - 2)
        carrier = carriers.over_udp(one, other)
        if carrier is not None:
            self.unknown.add(carrier)
        side.carries = side.back.carries = one in OVER_UDP or other in OVER_UDP
        return side

    def _tunnelled(self, found: layers.Datagram, end: i64, place: _Place, deep: i64) -> None:
        """Counts the flow in a VXLAN or Geneve packet, whose own flow was counted already."""
        data, at = place.data, found.start
        target = u16(data, at + 2)
        kind = "geneve" if 6081 in (target, u16(data, at)) else "vxlan"  # noqa: PLR2004
        behind = OVER_UDP.get(target) or OVER_UDP[u16(data, at)]
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
        if not self._frame:
            return Counted(Totals(), (), unknown=())
        conversations = self._tcp.conversations + self._udp.conversations
        self._listening.end(self._tcp.conversations)
        self._trouble.end(self._tcp.conversations)
        return counted(
            conversations,
            self._bins.begin,
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
