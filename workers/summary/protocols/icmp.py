"""Errors of ICMP and ICMPv6 in words, and the packets they are about. Pure.

RFC 792, 1191, 1812 and 4443; the names are IANA's ("ICMP Parameters", "ICMPv6 Parameters"), shortened.
"""

from collections.abc import Iterable

from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.layers import layers
from workers.summary.layers.layers import u16
from workers.summary.protocols.reader import Lone

_HEADER = 8
_LONGEST_DATAGRAM = 0xFFFF + 40
_WITH_PORTS = frozenset((layers.TCP, layers.UDP, layers.SCTP))

_ERRORS = {
    3: "destination unreachable",
    4: "source quench",
    11: "time exceeded",
    12: "parameter problem",
}
_CODES = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 11): "network unreachable for this type of service",
    (3, 12): "host unreachable for this type of service",
    (3, 13): "communication administratively prohibited",
    (11, 0): "TTL exceeded in transit",
    (11, 1): "fragment reassembly time exceeded",
}
_ERRORS_V6 = {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
}
_CODES_V6 = {
    (1, 0): "no route to destination",
    (1, 1): "communication administratively prohibited",
    (1, 2): "beyond scope of source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed policy",
    (1, 6): "reject route to destination",
    (3, 0): "hop limit exceeded in transit",
    (3, 1): "fragment reassembly time exceeded",
    (4, 1): "unrecognized next header type",
    (4, 2): "unrecognized IPv6 option",
}
_FRAGMENTATION_NEEDED, _PACKET_TOO_BIG = (3, 4), 2


def errors(packet: Lone) -> Iterable[Event]:
    """The error that a packet reports, if it reports one."""
    data = packet.payload
    if len(data) < _HEADER or packet.kind == "arp":
        return ()
    of_ipv6 = packet.kind == "icmpv6"
    kind, code = data[0], data[1]
    names, codes = (_ERRORS_V6, _CODES_V6) if of_ipv6 else (_ERRORS, _CODES)
    if kind not in names:
        return ()
    numbers: dict[str, float] = {"type": kind, "code": code}
    mtu = 0
    if of_ipv6 and kind == _PACKET_TOO_BIG:
        mtu = int.from_bytes(data[4:8], "big")
    elif not of_ipv6 and (kind, code) == _FRAGMENTATION_NEEDED:
        mtu = u16(data, 6)
    if mtu:  # old routers leave it out
        numbers["mtu"] = mtu
    quoted = _quoted(layers.IPV6 if of_ipv6 else layers.IPV4, data)
    source = target = None
    if quoted:
        source, target, protocol = quoted
        numbers["protocol"] = protocol
    text = codes.get((kind, code), names[kind])
    event = Event(
        "icmp-error", packet.frame, packet.time, None, None, source, target, text, numbers, by=packet.source
    )
    return (event,)


def _quoted(ethertype: int, data: bytes) -> tuple[Endpoint, Endpoint, int] | None:
    """Source, target and IP protocol of the packet that is quoted; the ports are 0 where there are none.

    The checksum of its header may be wrong: routers quote it with the time to live changed.
    """
    end = len(data)
    found = layers.datagram(ethertype, data, _HEADER, end, _HEADER + _LONGEST_DATAGRAM)
    if found is None:
        return None
    ports = (0, 0)
    later = found.fragment is not None and found.fragment.offset
    if found.protocol in _WITH_PORTS and not later and found.start + 4 <= end:
        ports = u16(data, found.start), u16(data, found.start + 2)
    source, target = Endpoint.packed(found.source, ports[0]), Endpoint.packed(found.target, ports[1])
    return source, target, found.protocol
