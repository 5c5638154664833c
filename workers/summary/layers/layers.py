"""Where the headers of a packet end: link layer, VLAN tags, IPv4, IPv6 with its extension headers. Pure.

Nothing here raises on any bytes. Offsets are into the buffer; `end` is where the captured bytes end.
"""

import struct
from typing import Final, NamedTuple, final

from mypy_extensions import i64

ETHERNET: Final = 1
NULL: Final = 0
RAW: Final = 101
LOOP: Final = 108
LINUX_SLL: Final = 113
LINUX_SLL2: Final = 276
RAW_OLD = (12, 14)  # what DLT_RAW is on the machines that wrote it into files
IPV4_ONLY, IPV6_ONLY = 228, 229
_ETHERNET_HEADER: Final = 14
_HEADER_AND_TYPE = {ETHERNET: (_ETHERNET_HEADER, 12), LINUX_SLL: (16, 14), LINUX_SLL2: (20, 0)}
_BARE = frozenset((RAW, *RAW_OLD, IPV4_ONLY, IPV6_ONLY))
_LOOPBACK = frozenset((NULL, LOOP))

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ARP: Final = 0x0806
UNKNOWN: Final = -1
BRIDGED: Final = 0x6558  # a whole Ethernet frame, where a tunnel says with an EtherType what is in it
_PROVIDER_TAG = 0x88A8
_VLAN_TAGS = frozenset((0x8100, _PROVIDER_TAG, 0x9100))  # 802.1Q, 802.1ad, and what QinQ was before it
# What is no EtherType is a length (IEEE 802.3), behind which an EtherType can stand all the same (RFC 1042).
_LONGEST_LENGTH: Final = 1500
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ICMPV6: Final = 58
SCTP: Final = 132
IPV4_INSIDE: Final = 4
IPV6_INSIDE: Final = 41
GRE: Final = 47
ESP: Final = 50
_AUTHENTICATION: Final = 51
_LONGEST_AUTHENTICATION = 12 + 64  # its fixed part, and the longest value of any algorithm (RFC 4302, 4868)
_FRAGMENT: Final = 44
# Hop-by-hop, routing, destination options, mobility, HIP, shim6 (RFC 8200, IANA's list of extension headers):
# all say their length in units of 8 bytes, the first 8 not counted.
_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))

# Address families of the BSD loopback header: 2 everywhere, IPv6 differs from system to system.
_FAMILY_IPV4 = 2
_FAMILIES_IPV6 = frozenset((24, 28, 30))

_IPV4_HEADER: Final = 20
_IPV6_HEADER: Final = 40


@final
class Network:
    """What stands behind the link layer: EtherType, where, and the outermost 802.1Q VLAN id (0: none)."""

    __slots__ = ("ethertype", "start", "vlan")

    def __init__(self, ethertype: i64, start: i64, vlan: i64) -> None:
        self.ethertype = ethertype
        self.start = start
        self.vlan = vlan


class Fragment(NamedTuple):
    """The part of a fragmented datagram: its offset in bytes, whether more follow, and the datagram's id."""

    offset: int
    more: bool
    id: int


@final
class Datagram:
    """An IP header with its extensions, as far as it could be followed.

    Attributes:
        addresses: Of source and target, as they stand in the header: 8 or 32 bytes.
        protocol: The IP protocol of what follows, -1 when that is unknown.
        start: Where the last header understood ends.
        end: Where the datagram ends as it says itself; may lie behind the captured bytes, and the frame.
        fragment: None for a whole datagram.
    """

    __slots__ = ("addresses", "end", "fragment", "protocol", "start")

    def __init__(
        self, addresses: bytes, protocol: i64, start: i64, end: i64, fragment: Fragment | None = None
    ) -> None:
        self.addresses = addresses
        self.protocol = protocol
        self.start = start
        self.end = end
        self.fragment = fragment

    @property
    def source(self) -> bytes:
        """4 or 16 bytes."""
        return self.addresses[: len(self.addresses) // 2]

    @property
    def target(self) -> bytes:
        """4 or 16 bytes."""
        return self.addresses[len(self.addresses) // 2 :]


def network(link_type: i64, data: bytes, start: i64, end: i64) -> Network:
    """What stands behind the link-layer header and its VLAN tags."""
    if link_type == ETHERNET and start + _ETHERNET_HEADER <= end:  # so are most
        return _behind_vlan_tags(u16(data, start + 12), data, start + _ETHERNET_HEADER, end)
    if link_type in _HEADER_AND_TYPE:
        header, type_at = _HEADER_AND_TYPE[link_type]
        if start + header > end:
            return Network(UNKNOWN, start, 0)
        return _behind_vlan_tags(u16(data, start + type_at), data, start + header, end)
    if link_type in _LOOPBACK:
        return _behind_loopback(link_type, data, start, end)
    return Network(_by_version(data, start, end) if link_type in _BARE else UNKNOWN, start, 0)


def understood(link_type: int) -> bool:
    """Whether `network` knows this link type."""
    return link_type in _HEADER_AND_TYPE or link_type in _LOOPBACK or link_type in _BARE


def _behind_vlan_tags(ethertype: i64, data: bytes, at: i64, end: i64) -> Network:
    vlan: i64 = 0
    while ethertype > _LONGEST_LENGTH and ethertype not in (IPV4, IPV6) and ethertype in _VLAN_TAGS:
        if at + 4 > end:
            return Network(UNKNOWN, at, vlan)
        if ethertype != _PROVIDER_TAG and not vlan:
            vlan = u16(data, at) & 0x0FFF
        ethertype = u16(data, at + 2)
        at += 4
    if ethertype <= _LONGEST_LENGTH and at + 8 <= end and data[at : at + 6] == _SNAP:
        return Network(u16(data, at + 6), at + 8, vlan)
    return Network(ethertype, at, vlan)


def _behind_loopback(link_type: i64, data: bytes, start: i64, end: i64) -> Network:
    if start + 4 > end:
        return Network(UNKNOWN, start, 0)
    family = int.from_bytes(data[start : start + 4], "big")
    if link_type == NULL and family > 0xFFFF:  # noqa: PLR2004, written by a machine of the other byte order
        family = int.from_bytes(data[start : start + 4], "little")
    if family == _FAMILY_IPV4:  # on some systems for IPv6, too
        return Network(_by_version(data, start + 4, end), start + 4, 0)
    return Network(IPV6 if family in _FAMILIES_IPV6 else UNKNOWN, start + 4, 0)


def _by_version(data: bytes, at: i64, end: i64) -> i64:
    version = data[at] >> 4 if at < end else 0
    return IPV4 if version == 4 else IPV6 if version == 6 else UNKNOWN  # noqa: PLR2004, as they are called


def datagram(ethertype: i64, data: bytes, start: i64, end: i64, wire_end: i64) -> Datagram | None:
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


def inner_datagram(ethertype: i64, data: bytes, start: i64, end: i64, limit: i64) -> Datagram | None:
    """The IP datagram in a tunnel or an ICMP error, where payload may only look like one.

    None when the checksum of an IPv4 header is wrong, or when the datagram claims to reach behind `limit`.
    """
    found = datagram(ethertype, data, start, end, limit)
    if found is None or found.end > limit:
        return None
    return found if ethertype == IPV6 or _ipv4_checksum_holds(data, start) else None


def _ipv4_checksum_holds(data: bytes, start: i64) -> bool:
    """Whether the one's complement sum of the header's words is all ones (RFC 791)."""
    words: tuple[int, ...] = struct.unpack_from(f">{(data[start] & 0x0F) * 2}H", data, start)
    return sum(words) % 0xFFFF == 0


def _ipv4(data: bytes, start: i64, end: i64, wire_end: i64) -> Datagram | None:
    if start + _IPV4_HEADER > end or data[start] >> 4 != 4:  # noqa: PLR2004, the version
        return None
    header: i64 = (data[start] & 0x0F) * 4
    total = u16(data, start + 2)
    if total == 0:  # a segment that the network card cuts later; its length did not fit
        total = wire_end - start
    if header < _IPV4_HEADER or total < header or start + header > end:
        return None
    addresses = data[start + 12 : start + _IPV4_HEADER]
    protocol: i64 = data[start + 9]
    found = Datagram(addresses, protocol, start + header, start + total)
    pieces = u16(data, start + 6)
    if pieces & 0x3FFF:
        identity = u16(data, start + 4) << 8 | protocol
        found.fragment = Fragment((pieces & 0x1FFF) * 8, bool(pieces & 0x2000), identity)
    elif protocol in (_AUTHENTICATION, _FRAGMENT):
        _go_behind_extensions(found, data, end, frozenset())
    return found


def _ipv6(data: bytes, start: i64, end: i64, wire_end: i64) -> Datagram | None:
    if start + _IPV6_HEADER > end or data[start] >> 4 != 6:  # noqa: PLR2004, the version
        return None
    length = u16(data, start + 4)
    if length == 0:  # a jumbogram, or a segment that the network card cuts later (Linux's BIG TCP)
        length = wire_end - start - _IPV6_HEADER
    at = start + _IPV6_HEADER
    found = Datagram(data[start + 8 : at], data[start + 6], at, at + length)
    go_behind_extensions(found, data, end)
    return found


def go_behind_extensions(found: Datagram, data: bytes, end: i64) -> None:
    """Moves `protocol` and `start` behind the extension headers that are there; `end` is of the bytes."""
    if found.protocol not in (TCP, UDP):
        _go_behind_extensions(found, data, end, _EXTENSIONS)


def _go_behind_extensions(found: Datagram, data: bytes, end: i64, extensions: frozenset[int]) -> None:
    end = min(end, found.end)
    protocol, at = found.protocol, found.start
    while protocol in extensions or protocol in (_AUTHENTICATION, _FRAGMENT):
        found.protocol, found.start = UNKNOWN, at  # unless what is here makes sense
        if at + 8 > end or (protocol == _FRAGMENT and not extensions):
            return
        follows: i64 = data[at]
        length: i64 = 8
        if protocol == _FRAGMENT:
            pieces = u16(data, at + 2)
            if pieces & 0xFFF9:
                identity = int.from_bytes(data[at + 4 : at + 8], "big")
                found.fragment = Fragment(pieces & 0xFFF8, bool(pieces & 1), identity)
                found.protocol, found.start = follows, at + 8
                return
        elif protocol == _AUTHENTICATION:
            length = (data[at + 1] + 2) * 4
        else:
            length = (data[at + 1] + 1) * 8
        too_long = protocol == _AUTHENTICATION and length > _LONGEST_AUTHENTICATION
        if at + length > end or too_long:
            return
        protocol, at = follows, at + length
    found.protocol, found.start = protocol, at


def u16(data: bytes, at: i64) -> i64:
    """Two bytes as a number, in the order of the network."""
    return data[at] << 8 | data[at + 1]


def u32(data: bytes, at: i64) -> i64:
    """Four bytes as a number, in the order of the network."""
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
