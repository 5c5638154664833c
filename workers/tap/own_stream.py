"""Which connections of a node podcap's own exec streams pass, by what its sockets have counted. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

BYTES = 1 << 20
"""So much a stream brings; a connection that has carried as much meanwhile is on its way."""

Connection = tuple[int, str, int]
"""The port that was asked for, at either end; the address of the other end; the other port."""


@dataclass(frozen=True, order=True)
class OwnStream:
    """Where podcap's own streams pass a node.

    Attributes:
        port: At which of the ports that were asked for.
        address: Who is at the other end there.
    """

    port: int
    address: str


def own_streams(before: Mapping[Connection, int], after: Mapping[Connection, int]) -> tuple[OwnStream, ...]:
    """Those of the connections that carried at least what the stream brought."""
    grown = (one for one, carried in after.items() if carried - before.get(one, 0) >= BYTES)
    return tuple(sorted({OwnStream(port, address) for port, address, _ in grown}))


def carried(text: str, ports: set[int]) -> Mapping[Connection, int]:
    """What each connection with one of these ports has sent and received, in bytes.

    Args:
        text: What `ss -HtinO state established` printed.
        ports: Ports of the node, or of whom it is connected to.
    """
    found = {}
    for line in text.splitlines():
        row = _LINE.match(line)
        if row is None:
            continue
        here, there = int(row[1]), int(row[3])
        total = sum(map(int, _COUNTS.findall(line)))
        for port, other in ((here, there), (there, here)):
            if port in ports:
                found[port, _address(row[2]), other] = total
    return found


_LINE = re.compile(r"\d+\s+\d+\s+\S+:(\d+)\s+\[?([0-9a-fA-F.:]+)[^\s:]*:(\d+)\s")
_COUNTS = re.compile(r"\bbytes_(?:sent|received):(\d+)")


def _address(text: str) -> str:
    """A server that listens for both families shows IPv4 addresses inside IPv6 ones."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
