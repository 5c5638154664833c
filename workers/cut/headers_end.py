"""Where the headers of a packet end and payload begins, tunnels included. Pure.

The way in: link layer, IP, and what it carries; a tunnel begins again at the link layer or at IP. Where a
packet stops making sense, its headers end behind the last one that does. What a tunnel carries must fit into
what is around it, its IPv4 checksum must be right; otherwise it is payload that only looks like a tunnel.

Three offsets bound every step: `at`, where it begins; `end`, where the bytes end that are there, inside of
all that is around it; `limit`, how far lengths may claim to reach, behind `end` where a packet was cut off.
"""

from workers.cut.headers_icmp import behind_icmp, behind_icmpv6
from workers.summary.layers import layers
from workers.summary.layers.layers import u16
from workers.summary.layers.tunnels import OVER_UDP, WIREGUARD_PORTS, Inside, behind_wireguard, gre

_DEEPEST = 4
"""Tunnels in tunnels; overlay, service mesh and a VPN are three."""

_FURTHEST = 0xFFFF
_TCP_HEADER, _UDP_HEADER, _ESP_HEADER = 20, 8, 8
_SCTP_HEADER, _SCTP_CHUNK = 12, 4
_SCTP_DATA = {0: 16, 64: 20}  # DATA and I-DATA: bytes before the user's (RFC 9260, RFC 8260)
_ARP_FIXED, _ARP_ETHERNET_IPV4 = 8, 28
_ARP_OF_IPV4 = b"\x00\x01\x08\x00\x06\x04"


def headers_end(link_type: int, data: bytes, start: int, end: int, wire_end: int) -> int:
    """Where the headers of the packet at `start` end.

    Args:
        link_type: The LINKTYPE_ value.
        data: The buffer.
        start: Where the packet begins.
        end: Where its captured bytes end.
        wire_end: Where it ended on the wire.

    Returns:
        An offset between `start` and `end`; cut there and asked again, the packet gives the same.
    """
    below = layers.network(link_type, data, start, end)
    if below.ethertype == layers.ARP:
        return _behind_arp(data, below.start, end)
    limit = max(end, wire_end)
    found = layers.datagram(below.ethertype, data, below.start, end, limit)
    return below.start if found is None else _behind_datagram(found, data, end, limit, _DEEPEST)


def _behind_datagram(found: layers.Datagram, data: bytes, end: int, limit: int, deeper: int) -> int:
    at, protocol = found.start, found.protocol
    end, limit = min(end, found.end), min(limit, found.end)
    if found.fragment is not None:
        if found.fragment.offset:
            return at
        limit = at + _FURTHEST  # the other fragments have the rest
    if protocol == layers.TCP:
        return _behind_tcp(data, at, end, limit)
    if protocol == layers.UDP:
        return _behind_udp(data, at, end, limit, deeper)
    if protocol in _MESSAGES:
        return _MESSAGES[protocol](data, at, end)
    return _behind_ip_tunnel(protocol, data, at, end, limit, deeper)


def _behind_tcp(data: bytes, at: int, end: int, limit: int) -> int:
    """A header that is cut off is kept as far as it goes; one that cannot be is not kept."""
    if at + _TCP_HEADER > end:
        return end if at + _TCP_HEADER <= limit else at
    header = (data[at + 12] >> 4) * 4
    return min(at + header, end) if header >= _TCP_HEADER and at + header <= limit else at


def _behind_udp(data: bytes, at: int, end: int, limit: int, deeper: int) -> int:
    inside = at + _UDP_HEADER
    if inside > end:
        return end if inside <= limit else at
    source, target, length = u16(data, at), u16(data, at + 2), u16(data, at + 4)
    if length < _UDP_HEADER or at + length > limit:
        return inside
    end, limit = min(end, at + length), at + length
    if target in OVER_UDP:
        carried = OVER_UDP[target](data, inside, end)
        behind = carried and _behind_inside(carried, data, end, limit, deeper)
        return behind or inside
    if target in WIREGUARD_PORTS or source in WIREGUARD_PORTS:
        return behind_wireguard(data, inside, end, limit)
    return inside


def _behind_ip_tunnel(protocol: int, data: bytes, at: int, end: int, limit: int, deeper: int) -> int:
    """Behind what IP carries in IP or in GRE; `at` for protocols that are not understood."""
    if protocol == layers.GRE:
        carried = gre(data, at, end)
    elif protocol == layers.IPV4_INSIDE:
        carried = Inside(layers.IPV4, at)
    elif protocol == layers.IPV6_INSIDE:
        carried = Inside(layers.IPV6, at)
    else:
        return at
    if carried is None:
        return at
    return _behind_inside(carried, data, end, limit, deeper) or carried.start


def _behind_inside(carried: Inside, data: bytes, end: int, limit: int, deeper: int) -> int | None:
    """Behind the headers of what a tunnel carries; None when that cannot be a packet."""
    ethertype, at = carried
    if not deeper:
        return None
    if ethertype == layers.BRIDGED:
        below = layers.network(layers.ETHERNET, data, at, end)
        ethertype, at = below.ethertype, below.start
    if ethertype == layers.ARP:
        whole = at + _ARP_ETHERNET_IPV4 <= end and data[at : at + 6] == _ARP_OF_IPV4
        return at + _ARP_ETHERNET_IPV4 if whole else None
    found = layers.inner_datagram(ethertype, data, at, end, limit)
    return None if found is None else _behind_datagram(found, data, end, limit, deeper - 1)


def _behind_sctp(data: bytes, at: int, end: int) -> int:
    """The common header and the first chunk's; what follows may be somebody's data."""
    chunk = at + _SCTP_HEADER
    if chunk + _SCTP_CHUNK > end:
        return min(chunk, end)
    header = _SCTP_DATA.get(data[chunk], _SCTP_CHUNK)
    return min(chunk + (header if u16(data, chunk + 2) >= header else _SCTP_CHUNK), end)


def _behind_esp(_: bytes, at: int, end: int) -> int:
    """Security association and sequence number; the rest is encrypted."""
    return min(at + _ESP_HEADER, end)


_MESSAGES = {
    layers.ICMP: behind_icmp,
    layers.ICMPV6: behind_icmpv6,
    layers.SCTP: _behind_sctp,
    layers.ESP: _behind_esp,
}


def _behind_arp(data: bytes, at: int, end: int) -> int:
    """ARP for IPv4 on Ethernet whole; of any other only the part that is the same for all (RFC 826)."""
    known = data[at : at + 6] == _ARP_OF_IPV4
    return min(at + (_ARP_ETHERNET_IPV4 if known else _ARP_FIXED), end)
