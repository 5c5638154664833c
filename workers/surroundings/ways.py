"""Where a pod sends what: its routes and neighbours, as lines to be read. Pure.

`/proc/PID/net/{route,ipv6_route,arp}` (proc_pid_net(5)); of IPv4 routes the figures are in the byte order of
a little-endian node.
"""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_MOST = 100
_UP, _GATEWAY, _REJECT = 0x1, 0x2, 0x200
_LOCAL = 0x80000000
_COLUMNS4, _COLUMNS6, _COLUMNS_ARP = 8, 10, 6
_COMPLETE = 0x2


def routes(route: str, ipv6_route: str = "") -> tuple[str, ...]:
    """`default via 10.244.1.1 dev eth0`, as ip-route(8) writes it; none for local addresses or multicast."""
    found = [*_rows(route, _route4, skip=1), *_rows(ipv6_route, _route6, skip=0)]
    return tuple(dict.fromkeys(found))[:_MOST]


def neighbours(arp: str) -> tuple[str, ...]:
    """`10.244.1.1 dev eth0 lladdr 9a:95:6e:ed:69:35`; `incomplete` for one that nobody has answered for."""
    return tuple(_rows(arp, _neighbour, skip=1))[:_MOST]


def _rows(text: str, form: Callable[[list[str]], str], *, skip: int) -> Iterator[str]:
    for line in text.splitlines()[skip:]:
        try:
            said = form(line.split())
        except (ValueError, IndexError):
            continue
        if said:
            yield said


def _route4(columns: list[str]) -> str:
    if len(columns) < _COLUMNS4:
        return ""
    flags = int(columns[3], 16)
    destination, gateway, mask = (IPv4Address(bytes.fromhex(columns[at])[::-1]) for at in (1, 2, 7))
    network = IPv4Network(f"{destination}/{mask}", strict=False)
    return _said(network.with_prefixlen, str(gateway), columns[0], flags)


def _route6(columns: list[str]) -> str:
    if len(columns) < _COLUMNS6:
        return ""
    flags = int(columns[8], 16)
    network = IPv6Network((bytes.fromhex(columns[0]), int(columns[1], 16)))
    if flags & _LOCAL or network.is_multicast or columns[9] == "lo":
        return ""
    return _said(str(network), str(IPv6Address(bytes.fromhex(columns[4]))), columns[9], flags)


def _said(network: str, gateway: str, device: str, flags: int) -> str:
    if not flags & _UP:
        return ""
    where = "default" if network in ("0.0.0.0/0", "::/0") else network
    if flags & _REJECT:
        return f"unreachable {where}"
    via = f" via {gateway}" if flags & _GATEWAY else ""
    return f"{where}{via} dev {device}"


def _neighbour(columns: list[str]) -> str:
    if len(columns) < _COLUMNS_ARP:
        return ""
    address, flags, hardware, device = IPv4Address(columns[0]), int(columns[2], 16), columns[3], columns[5]
    state = f"lladdr {hardware}" if flags & _COMPLETE else "incomplete"
    return f"{address} dev {device} {state}"
