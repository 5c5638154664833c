"""Where the headers of a packet end: link layer, VLAN tags, IPv4, IPv6 with its extension headers. Pure.

Nothing here raises on any bytes. Offsets are into the buffer; `end` is where the captured bytes end.
"""

import struct
from typing import NamedTuple

ETHERNET, NULL, RAW, LOOP, LINUX_SLL, LINUX_SLL2 = 1, 0, 101, 108, 113, 276
RAW_OLD = (12, 14)  # what DLT_RAW is on the machines that wrote it into files
IPV4_ONLY, IPV6_ONLY = 228, 229
_HEADER_AND_TYPE = {ETHERNET: (14, 12), LINUX_SLL: (16, 14), LINUX_SLL2: (20, 0)}
_BARE = frozenset((RAW, *RAW_OLD, IPV4_ONLY, IPV6_ONLY))
_LOOPBACK = frozenset((NULL, LOOP))

IPV4, IPV6, ARP, UNKNOWN = 0x0800, 0x86DD, 0x0806, -1
BRIDGED = 0x6558  # a whole Ethernet frame, where a tunnel says with an EtherType what is in it
_PROVIDER_TAG = 0x88A8
_VLAN_TAGS = frozenset((0x8100, _PROVIDER_TAG, 0x9100))  # 802.1Q, 802.1ad, and what QinQ was before it
# What is no EtherType is a length (IEEE 802.3), behind which an EtherType can stand all the same (RFC 1042).
_LONGEST_LENGTH = 1500
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"

TCP, UDP, ICMP, ICMPV6, SCTP = 6, 17, 1, 58, 132
IPV4_INSIDE, IPV6_INSIDE, GRE, ESP = 4, 41, 47, 50
_AUTHENTICATION = 51
_LONGEST_AUTHENTICATION = 12 + 64  # its fixed part, and the longest value of any algorithm (RFC 4302, 4868)
_FRAGMENT = 44
# Hop-by-hop, routing, destination options, mobility, HIP, shim6 (RFC 8200, IANA's list of extension headers):
# all say their length in units of 8 bytes, the first 8 not counted.
_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))

# Address families of the BSD loopback header: 2 everywhere, IPv6 differs from system to system.
_FAMILY_IPV4 = 2
_FAMILIES_IPV6 = frozenset((24, 28, 30))

_IPV4_HEADER, _IPV6_HEADER = 20, 40


class Network(NamedTuple):
    """What stands behind the link layer: EtherType, where, and the outermost 802.1Q VLAN id (0: none)."""

    ethertype: int
    start: int
    vlan: int


class Fragment(NamedTuple):
    """The part of a fragmented datagram: its offset in bytes, whether more follow, and the datagram's id."""

    offset: int
    more: bool
    id: int


class Datagram(NamedTuple):
    """An IP header with its extensions, as far as it could be followed.

    Attributes:
        source: 4 or 16 bytes.
        target: 4 or 16 bytes.
        protocol: The IP protocol of what follows, -1 when that is unknown.
        start: Where the last header understood ends.
        end: Where the datagram ends as it says itself; may lie behind the captured bytes, and the frame.
        fragment: None for a whole datagram.
    """

    source: bytes
    target: bytes
    protocol: int
    start: int
    end: int
    fragment: Fragment | None


def network(link_type: int, data: bytes, start: int, end: int) -> Network:
    """What stands behind the link-layer header and its VLAN tags."""
    if link_type in _HEADER_AND_TYPE:
        header, type_at = _HEADER_AND_TYPE[link_type]
        if start + header > end:
            return Network(UNKNOWN, start, 0)
        return _behind_vlan_tags(u16(data, start + type_at), data, start + header, end)
    if link_type in _LOOPBACK:
        return _behind_loopback(link_type, data, start, end)
    if link_type in _BARE:
        return Network(_by_version(data, start, end), start, 0)
    return Network(UNKNOWN, start, 0)


def understood(link_type: int) -> bool:
    """Whether `network` knows this link type."""
    return link_type in _HEADER_AND_TYPE or link_type in _LOOPBACK or link_type in _BARE


def _behind_vlan_tags(ethertype: int, data: bytes, at: int, end: int) -> Network:
    vlan = 0
    while ethertype in _VLAN_TAGS:
        if at + 4 > end:
            return Network(UNKNOWN, at, vlan)
        if ethertype != _PROVIDER_TAG:
            vlan = vlan or u16(data, at) & 0x0FFF
        ethertype = u16(data, at + 2)
        at += 4
    if ethertype <= _LONGEST_LENGTH and data[at : at + 6] == _SNAP and at + 8 <= end:
        return Network(u16(data, at + 6), at + 8, vlan)
    return Network(ethertype, at, vlan)


def _behind_loopback(link_type: int, data: bytes, start: int, end: int) -> Network:
    if start + 4 > end:
        return Network(UNKNOWN, start, 0)
    family = int.from_bytes(data[start : start + 4], "big")
    if link_type == NULL and family > 0xFFFF:  # noqa: PLR2004, written by a machine of the other byte order
        family = int.from_bytes(data[start : start + 4], "little")
    if family == _FAMILY_IPV4:  # on some systems for IPv6, too
        return Network(_by_version(data, start + 4, end), start + 4, 0)
    return Network(IPV6 if family in _FAMILIES_IPV6 else UNKNOWN, start + 4, 0)


def _by_version(data: bytes, at: int, end: int) -> int:
    return {4: IPV4, 6: IPV6}.get(data[at] >> 4, UNKNOWN) if at < end else UNKNOWN


def datagram(ethertype: int, data: bytes, start: int, end: int, wire_end: int) -> Datagram | None:
    """The IP datagram at `start`; None when there is no whole, valid IP header.

    Args:
        ethertype: IPV4 or IPV6; anything else gives None.
        data: The buffer.
        start: Where the IP header begins.
        end: Where the captured bytes end.
        wire_end: Where the packet ended on the wire.
    """
    if ethertype == IPV4:
        return _ipv4(data, start, end, wire_end)
    if ethertype == IPV6:
        return _ipv6(data, start, end, wire_end)
    return None


def inner_datagram(ethertype: int, data: bytes, start: int, end: int, limit: int) -> Datagram | None:
    """The IP datagram in a tunnel or an ICMP error, where payload may only look like one.

    None when the checksum of an IPv4 header is wrong, or when the datagram claims to reach behind `limit`.
    """
    found = datagram(ethertype, data, start, end, limit)
    if found is None or found.end > limit:
        return None
    return found if ethertype == IPV6 or _ipv4_checksum_holds(data, start) else None


def _ipv4_checksum_holds(data: bytes, start: int) -> bool:
    """Whether the one's complement sum of the header's words is all ones (RFC 791)."""
    words: tuple[int, ...] = struct.unpack_from(f">{(data[start] & 0x0F) * 2}H", data, start)
    return sum(words) % 0xFFFF == 0


def _ipv4(data: bytes, start: int, end: int, wire_end: int) -> Datagram | None:
    if start + _IPV4_HEADER > end or data[start] >> 4 != 4:  # noqa: PLR2004, the version
        return None
    header = (data[start] & 0x0F) * 4
    total = u16(data, start + 2)
    if total == 0:  # a segment that the network card cuts later; its length did not fit
        total = wire_end - start
    if header < _IPV4_HEADER or total < header or start + header > end:
        return None
    pieces = u16(data, start + 6)
    protocol = data[start + 9]
    fragment = None
    if pieces & 0x3FFF:
        identity = u16(data, start + 4) << 8 | protocol
        fragment = Fragment((pieces & 0x1FFF) * 8, bool(pieces & 0x2000), identity)
    found = Datagram(
        data[start + 12 : start + 16],
        data[start + 16 : start + 20],
        protocol,
        start + header,
        start + total,
        fragment,
    )
    return found if fragment else behind_extensions(found, data, end, extensions=frozenset())


def _ipv6(data: bytes, start: int, end: int, wire_end: int) -> Datagram | None:
    if start + _IPV6_HEADER > end or data[start] >> 4 != 6:  # noqa: PLR2004, the version
        return None
    length = u16(data, start + 4)
    if length == 0:  # a jumbogram, or a segment that the network card cuts later
        length = wire_end - start - _IPV6_HEADER
    found = Datagram(
        data[start + 8 : start + 24],
        data[start + 24 : start + 40],
        data[start + 6],
        start + _IPV6_HEADER,
        start + _IPV6_HEADER + length,
        None,
    )
    return behind_extensions(found, data, end)


def behind_extensions(
    found: Datagram, data: bytes, end: int, *, extensions: frozenset[int] = _EXTENSIONS
) -> Datagram:
    """The datagram with `protocol` and `start` moved behind the extension headers that are there."""
    end = min(end, found.end)
    protocol, at = found.protocol, found.start
    while protocol in extensions or protocol in (_AUTHENTICATION, _FRAGMENT):
        if at + 8 > end or (protocol == _FRAGMENT and not extensions):
            return found._replace(protocol=UNKNOWN, start=at)
        follows = data[at]
        if protocol == _FRAGMENT:
            pieces = u16(data, at + 2)
            if pieces & 0xFFF9:
                identity = int.from_bytes(data[at + 4 : at + 8], "big")
                piece = Fragment(pieces & 0xFFF8, bool(pieces & 1), identity)
                return found._replace(protocol=follows, start=at + 8, fragment=piece)
            length = 8
        elif protocol == _AUTHENTICATION:
            length = (data[at + 1] + 2) * 4
        else:
            length = (data[at + 1] + 1) * 8
        too_long = protocol == _AUTHENTICATION and length > _LONGEST_AUTHENTICATION
        if at + length > end or too_long:
            return found._replace(protocol=UNKNOWN, start=at)
        protocol, at = follows, at + length
    return found if at == found.start else found._replace(protocol=protocol, start=at)


def u16(data: bytes, at: int) -> int:
    """Two bytes as a number, in the order of the network."""
    return data[at] << 8 | data[at + 1]
