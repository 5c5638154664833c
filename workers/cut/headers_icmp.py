"""Where the headers of ICMP and ICMPv6 end. Pure.

Eight bytes of every message; of an error also the headers of the packet it quotes; neighbour discovery and
multicast listener messages as far as they are well-formed, for they are to IPv6 what ARP is to IPv4.
Nothing is kept for bytes that are not: a message cut twice is the same as one cut once.
"""

from workers.summary.layers import layers
from workers.summary.layers.layers import u16

_HEADER = 8
_LONGEST_DATAGRAM = 0xFFFF + 40

_ERRORS = frozenset((3, 4, 5, 11, 12))  # RFC 792; redirect and source quench quote, too
_ERRORS_V6 = frozenset((1, 2, 3, 4))  # RFC 4443
_QUOTED = 8
_WITH_PORTS = frozenset((layers.TCP, layers.UDP, layers.SCTP, layers.ICMP, layers.ICMPV6, layers.ESP))

# RFC 4861: router solicitation and advertisement, neighbour solicitation and advertisement, redirect;
# bytes before their options.
_NEIGHBOUR = {133: 8, 134: 16, 135: 24, 136: 24, 137: 40}
_REDIRECTED_HEADER = 4
# By type of option: the lengths, in units of 8 bytes, that it can have: link-layer addresses, prefix, MTU,
# nonce, route, name servers, flags, NAT64 prefix (IANA's list). Others may carry text.
_OPTIONS = {1: (1,), 2: (1,), 3: (4,), 5: (1,), 14: (1,), 24: (1, 2, 3), 25: (3, 5, 7), 26: (1,), 38: (2,)}

# RFC 2710 and 3810: query, report, done; the query and report of version 2 list sources.
_QUERY, _LISTENER, _REPORT_V2 = 130, frozenset((130, 131, 132)), 143
_LISTENER_SIZE, _QUERY_V2_SIZE, _ADDRESS = 24, 28, 16
_RECORD, _RECORD_TYPES = 20, frozenset(range(1, 7))


def behind_icmp(data: bytes, at: int, end: int) -> int:
    """Where the headers of the ICMP message at `at` end; `end` is where its bytes end."""
    behind = at + _HEADER
    if behind > end:
        return end
    return _behind_quote(layers.IPV4, data, behind, end) if data[at] in _ERRORS else behind


def behind_icmpv6(data: bytes, at: int, end: int) -> int:
    """Where the headers of the ICMPv6 message at `at` end; `end` is where its bytes end."""
    kind, behind = data[at] if at < end else -1, at + _HEADER
    if behind > end:
        return end
    if kind in _ERRORS_V6:
        return _behind_quote(layers.IPV6, data, behind, end)
    if kind in _NEIGHBOUR and at + _NEIGHBOUR[kind] <= end and data[at + 1] == 0:
        return _behind_options(data, at + _NEIGHBOUR[kind], end)
    if kind == _REPORT_V2:
        return _behind_records(u16(data, at + 6), data, behind, end)
    if kind in _LISTENER and at + _LISTENER_SIZE <= end:
        return _behind_listener(kind, data, at, end)
    return behind


def _behind_quote(ethertype: int, data: bytes, at: int, end: int) -> int:
    """Behind the quoted IP header and eight bytes of what it carries, or `at` when it cannot be one."""
    # How far the quoted datagram reached is not seen here: a quote may end anywhere.
    found = layers.inner_datagram(ethertype, data, at, end, at + _LONGEST_DATAGRAM)
    if found is None:
        return at
    later = found.fragment is not None and found.fragment.offset
    if later or found.protocol not in _WITH_PORTS:
        return found.start
    return min(found.start + _QUOTED, found.end, end)


def _behind_options(data: bytes, at: int, end: int) -> int:
    while at + 8 <= end:
        kind, size = data[at], data[at + 1]
        if kind == _REDIRECTED_HEADER:
            behind = _behind_quote(layers.IPV6, data, at + 8, end)
            return behind if behind > at + 8 else at
        if size not in _OPTIONS.get(kind, ()) or at + size * 8 > end:
            return at
        at += size * 8
    return at


def _behind_listener(kind: int, data: bytes, at: int, end: int) -> int:
    if kind != _QUERY or at + _QUERY_V2_SIZE > end:
        return at + _LISTENER_SIZE
    sources = at + _QUERY_V2_SIZE + u16(data, at + 26) * _ADDRESS
    return sources if sources <= end else at + _QUERY_V2_SIZE


def _behind_records(records: int, data: bytes, at: int, end: int) -> int:
    for _ in range(records):
        if at + _RECORD > end or data[at] not in _RECORD_TYPES or data[at + 1]:  # no auxiliary data
            return at
        behind = at + _RECORD + u16(data, at + 2) * _ADDRESS
        if behind > end:
            return at
        at = behind
    return at
