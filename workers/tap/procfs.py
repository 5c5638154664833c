"""Files of `/proc/PID`: what a process's network namespace says of itself, to be read from outside. Pure.

None of them names a MAC address or the index of a link's peer, and each speaks of other things than the
others (proc_pid_net(5)); together they tell which interface, with which index, carries an address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from workers.tap.counters import Counters, counters


@dataclass(frozen=True)
class Namespace:
    """A network namespace as one of its processes shows it.

    Attributes:
        addresses: Every address it has, loopback's too.
        indexes: Interface name to ifindex, of interfaces that are up.
        carriers: Address to the name of the interface that has it, where that is certain.
        link_local: Interface name to the MAC address that its IPv6 link-local address was made from (EUI-64).
        counters: Interface name to what it has counted.
    """

    addresses: frozenset[str]
    indexes: Mapping[str, int]
    carriers: Mapping[str, str]
    link_local: Mapping[str, str]
    counters: Mapping[str, Counters] = field(default_factory=dict)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that packets can come in by: all but loopback and those that exist unused."""
        return tuple(sorted({*self.indexes, *self.counters} - _OWN))


_OWN = {"lo", "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}
"""Loopback, and what the kernel's tunnel modules make by themselves in every namespace
(`fb_tunnels_only_for_init_net` in the kernel's sysctl/net documentation)."""


def namespace(files: Mapping[str, str]) -> Namespace:
    """Reads the files by name.

    Args:
        files: `dev`, `if_inet6`, `igmp`, `dev_mcast`, `route`, `fib_trie`; any may be missing.
    """
    six = _if_inet6(files.get("if_inet6", ""))
    four = _fib_trie(files.get("fib_trie", ""))
    up = _igmp(files.get("igmp", "")) | {name: index for _, index, name in six}
    indexes = _dev_mcast(files.get("dev_mcast", "")) | up
    carriers = {str(address): name for address, _, name in six}
    routes = _route(files.get("route", ""))
    for address in four:
        name = _carrier(address, set(up) - {"lo"}, routes)
        if name is not None:
            carriers[str(address)] = name
    return Namespace(
        addresses=frozenset({str(address) for address in four} | {str(address) for address, _, _ in six}),
        indexes=indexes,
        carriers=carriers,
        link_local={name: mac for address, _, name in six if (mac := _eui64(address))},
        counters=counters(files.get("dev", "")),
    )


def started(stat: str) -> int | None:
    """When a process started, in clock ticks since boot: field 22 of `/proc/PID/stat` (proc_pid_stat(5))."""
    # The second field is the program's name in parentheses, with whatever that contains.
    fields = stat.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else None  # noqa: PLR2004  (the 22nd is the 20th after the name)


def _carrier(address: IPv4Address, up: set[str], routes: list[tuple[IPv4Network, str]]) -> str | None:
    """The interface of an IPv4 address: the only one, or the one whose own network it is in."""
    if address.is_loopback:
        return None
    if len(up) == 1:
        return next(iter(up))
    containing = [(network.prefixlen, name) for network, name in routes if address in network]
    best = {name for length, name in containing if length == max(containing)[0]}
    return best.pop() if len(best) == 1 else None


def _if_inet6(text: str) -> list[tuple[IPv6Address, int, str]]:
    rows = (line.split() for line in text.splitlines())
    return [(IPv6Address(int(row[0], 16)), int(row[1], 16), row[5]) for row in rows if len(row) == 6]  # noqa: PLR2004  (its six columns)


def _igmp(text: str) -> dict[str, int]:
    found = re.findall(r"^(\d+)\s+(\S+)\s*:", text, re.MULTILINE)
    return {name: int(index) for index, name in found}


def _dev_mcast(text: str) -> dict[str, int]:
    found = re.findall(r"^(\d+)\s+(\S+)\s", text, re.MULTILINE)
    return {name: int(index) for index, name in found}


def _fib_trie(text: str) -> list[IPv4Address]:
    """Every address of the local table: a leaf `|-- ADDRESS` that has a line `/32 host LOCAL` under it."""
    found: list[IPv4Address] = []
    leaf = ""
    for line in text.splitlines():
        if "|--" in line:
            leaf = line.rpartition(" ")[2]
        elif "/32 host LOCAL" in line and leaf:
            address = IPv4Address(leaf)
            if address not in found:
                found.append(address)
    return found


_ROUTE_UP, _ROUTE_GATEWAY = 0x1, 0x2


def _route(text: str) -> list[tuple[IPv4Network, str]]:
    """The networks that lie directly on an interface; figures in the byte order of a little-endian node."""
    networks = []
    for line in text.splitlines()[1:]:
        row = line.split()
        if len(row) < 8:  # noqa: PLR2004  (up to the mask)
            continue
        flags = int(row[3], 16)
        destination, mask = (IPv4Address(bytes.fromhex(row[column])[::-1]) for column in (1, 7))
        if flags & _ROUTE_UP and not flags & _ROUTE_GATEWAY and int(mask):
            networks.append((IPv4Network(f"{destination}/{mask}", strict=False), row[0]))
    return networks


def _eui64(address: IPv6Address) -> str | None:
    """The MAC address inside a link-local address (RFC 4291, appendix A)."""
    low = address.packed[8:]
    if not address.is_link_local or low[3:5] != b"\xff\xfe":
        return None
    mac = bytes([low[0] ^ 2]) + low[1:3] + low[5:]
    return mac.hex(":")
