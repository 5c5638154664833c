"""What `netlink.pl` prints, in types. Pure."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from workers.tap.counters import Counters
from workers.tap.links import Forwarding, Link, Neighbour

_UNICAST = 1
"""rtm_type of a route that leads somewhere (linux/rtnetlink.h)."""

_ANSWERS = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80
"""Neighbour states in which the MAC address is known: reachable, stale, delay, probe, noarp, permanent."""


@dataclass(frozen=True)
class Netlink:
    """Everything that one run of the program told; the fields are those of `Evidence`."""

    links: list[Link]
    netns_ids: dict[int, int | None]
    inodes: dict[int, int]
    marks: dict[int, int]
    neighbours: list[Neighbour]
    forwarding: list[Forwarding]
    routes: dict[str, str]
    counted: dict[int, Counters]


_NUMBER, _OR_NONE, _MAC, _IP = r"\d+", r"-|-?\d+", r"[0-9a-f]{12}", r"(?:[0-9a-f]{8}|[0-9a-f]{32})"
_ROWS = {
    kind: re.compile(f"{kind} {' '.join(f'({column})' for column in columns)}")
    for kind, columns in {
        "link": (_NUMBER, _OR_NONE, _OR_NONE, _OR_NONE, r"\S+", r"\S+"),
        "nsid": (_NUMBER, _OR_NONE),
        "inode": (_NUMBER, _NUMBER),
        "mark": (_NUMBER, _NUMBER),
        "neighbour": (_IP, _NUMBER, _NUMBER, _MAC),
        "learned": (_MAC, _NUMBER, _OR_NONE),
        "route": (_IP, _NUMBER, _NUMBER, _OR_NONE, r"via|-"),
        "count": (_NUMBER, _NUMBER, _NUMBER),
    }.items()
}


def netlink(text: str) -> Netlink:
    """Reads the program's output; a line that it does not write is left out."""
    rows: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in _ROWS}
    for line in text.split("\n"):
        kind = line.partition(" ")[0]
        if kind in _ROWS and (row := _ROWS[kind].fullmatch(line)):
            rows[kind].append(row.groups())
    names = {int(row[0]): row[5] for row in rows["link"]}
    return Netlink(
        links=[_link(row, names) for row in rows["link"]],
        netns_ids={int(pid): _number(netns_id) for pid, netns_id in rows["nsid"]},
        inodes={int(pid): int(inode) for pid, inode in rows["inode"]},
        marks={int(pid): int(mark) for pid, mark in rows["mark"]},
        neighbours=[
            Neighbour(_address(ip), names[int(device)], _mac(mac))
            for ip, device, state, mac in rows["neighbour"]
            if int(state) & _ANSWERS and int(device) in names
        ],
        forwarding=[
            Forwarding(_mac(mac), names[int(port)], names[_number(bridge) or 0])
            for mac, port, bridge in rows["learned"]
            if int(port) in names and _number(bridge) in names
        ],
        routes={
            _address(ip): names[_number(device) or 0]
            for ip, kind, length, device, gateway in rows["route"]
            # A route through a gateway, or to a whole network, leads to more than one pod.
            if (int(kind), int(length), gateway) == (_UNICAST, 4 * len(ip), "-") and _number(device) in names
        },
        counted={int(index): Counters(int(came), int(went)) for index, came, went in rows["count"]},
    )


def _link(row: tuple[str, ...], names: dict[int, str]) -> Link:
    index, peer, netns_id, master, kind, name = row
    return Link(
        ifindex=int(index),
        name=name,
        kind=None if kind == "-" else kind,
        master=names.get(_number(master) or 0),
        # An interface that is built on none names itself, or 0.
        peer_index=_number(peer) or None,
        netns_id=_number(netns_id),
    )


def _number(word: str) -> int | None:
    """The kernel writes -1 for a namespace that has no id."""
    return None if word.startswith("-") else int(word)


def _address(digits: str) -> str:
    packed = bytes.fromhex(digits)
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))  # noqa: PLR2004  (bytes of IPv4)


def _mac(digits: str) -> str:
    return bytes.fromhex(digits).hex(":")
