"""What tunnels carry: VXLAN, Geneve, GRE, and the part of WireGuard that is not encrypted. Pure.

A tunnel over UDP is known by its port alone, so payload of something else may stand there. A header that sets
a bit which its specification reserves, or whose lengths do not fit, is taken for that.
"""

from collections.abc import Callable
from typing import NamedTuple

from workers.summary.layers import layers
from workers.summary.layers.layers import u16

_VXLAN_HEADER, _GENEVE_HEADER, _GRE_HEADER = 8, 8, 4
_VXLAN_FLAGS = b"\x08\x00\x00\x00"  # VNI present, nothing else (RFC 7348)
_CARRIED = frozenset((layers.IPV4, layers.IPV6, layers.BRIDGED))

_GENEVE_RESERVED = 0xBF  # of the second byte: all but "critical options"; a control packet carries no traffic
_GENEVE_OPTION = 4

# Each flag stands for four bytes: checksum, key, sequence number (RFC 2784, RFC 2890).
_GRE_CHECKSUM, _GRE_KEY, _GRE_SEQUENCE = 0x8000, 0x2000, 0x1000
_GRE_FLAGS = (_GRE_CHECKSUM, _GRE_KEY, _GRE_SEQUENCE)
_GRE_UNDERSTOOD = sum(_GRE_FLAGS)

# By type: bytes of the message, and of what stands in it before the first encrypted or random field.
_WIREGUARD = {1: (148, 8), 2: (92, 12), 3: (64, 8)}
_WIREGUARD_DATA, _WIREGUARD_DATA_HEADER, _WIREGUARD_BLOCK = 4, 16, 16


class Inside(NamedTuple):
    """What a tunnel carries: its EtherType (IPV4, IPV6 or BRIDGED, -1 when that is unknown), and where."""

    ethertype: int
    start: int


def vxlan(data: bytes, at: int, end: int) -> Inside | None:
    """Behind a VXLAN header; None when it is none."""
    start = at + _VXLAN_HEADER
    if start > end or data[at : at + 4] != _VXLAN_FLAGS or data[at + 7]:
        return None
    return Inside(layers.BRIDGED, start)


def geneve(data: bytes, at: int, end: int) -> Inside | None:
    """Behind a Geneve header with its options (RFC 8926); None when it is none."""
    if at + _GENEVE_HEADER > end:
        return None
    version, options = data[at] >> 6, (data[at] & 0x3F) * 4
    ethertype, start = u16(data, at + 2), at + _GENEVE_HEADER + options
    if version or data[at + 1] & _GENEVE_RESERVED or data[at + 7] or ethertype not in _CARRIED or start > end:
        return None
    option = at + _GENEVE_HEADER
    while option < start:
        if data[option + 3] & 0xE0:
            return None
        option += _GENEVE_OPTION + (data[option + 3] & 0x1F) * 4
    return Inside(ethertype, start) if option == start else None


def gre(data: bytes, at: int, end: int) -> Inside | None:
    """Behind a GRE header; None when it is cut off, of another version, or with routing in it."""
    if at + _GRE_HEADER > end:
        return None
    flags, ethertype = u16(data, at), u16(data, at + 2)
    start = at + _GRE_HEADER + sum(4 for flag in _GRE_FLAGS if flags & flag)
    if flags & ~_GRE_UNDERSTOOD or start > end:
        return None
    return Inside(ethertype if ethertype in _CARRIED else layers.UNKNOWN, start)


OVER_UDP: dict[int, Callable[[bytes, int, int], Inside | None]] = {
    4789: vxlan,
    8472: vxlan,  # Linux's port from before there was a standard: flannel, Cilium
    6081: geneve,
}
"""By destination port; the source port is chosen to spread flows over paths."""

WIREGUARD_PORTS = frozenset((51820, 51821, 51871))
"""WireGuard's own, flannel's for IPv6, Cilium's."""


def behind_wireguard(data: bytes, at: int, end: int, limit: int) -> int:
    """Where the open part of a WireGuard message ends; `at` when it is none."""
    if at + 4 > end or data[at + 1 : at + 4] != bytes(3):
        return at
    size = limit - at
    if data[at] == _WIREGUARD_DATA:
        believable = size >= 2 * _WIREGUARD_BLOCK and size % _WIREGUARD_BLOCK == 0
        kept = _WIREGUARD_DATA_HEADER
    else:
        whole, kept = _WIREGUARD.get(data[at], (-1, 0))
        believable = size == whole
    return min(at + kept, end) if believable else at
