"""What `netlink.pl` prints, in types. Pure."""

from collections.abc import Iterator
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
    neighbours: list[Neighbour]
    forwarding: list[Forwarding]
    routes: dict[str, str]
    counted: dict[int, Counters]


def netlink(text: str) -> Netlink:
    """Reads the program's output; a line that it does not write is left out."""
    rows = [line.split(" ") for line in text.splitlines()]
    names = {int(row[1]): _name(row) for row in _of(rows, "link", 7)}
    return Netlink(
        links=[_link(row, names) for row in _of(rows, "link", 7)],
        netns_ids={int(row[1]): _number(row[2]) for row in _of(rows, "nsid", 3)},
        inodes={int(row[1]): int(row[2]) for row in _of(rows, "inode", 3)},
        neighbours=[
            Neighbour(_address(row[1]), names[int(row[2])], _mac(row[4]))
            for row in _of(rows, "neighbour", 5)
            if int(row[3]) & _ANSWERS and int(row[2]) in names
        ],
        forwarding=[
            Forwarding(_mac(row[1]), names[int(row[2])], names[int(row[3])])
            for row in _of(rows, "learned", 4)
            if int(row[2]) in names and int(row[3]) in names
        ],
        routes={
            _address(row[1]): names[int(row[4])]
            for row in _of(rows, "route", 6)
            if _is_for_one_pod(row) and _number(row[4]) in names
        },
        counted={int(row[1]): Counters(int(row[2]), int(row[3])) for row in _of(rows, "count", 4)},
    )


def _is_for_one_pod(row: list[str]) -> bool:
    """A route through a gateway, or to a whole network, leads to more than one pod."""
    return int(row[2]) == _UNICAST and int(row[3]) == 4 * len(row[1]) and row[5] == "-"


def _of(rows: list[list[str]], kind: str, length: int) -> Iterator[list[str]]:
    return (row for row in rows if row[0] == kind and len(row) >= length)


def _link(row: list[str], names: dict[int, str]) -> Link:
    master = _number(row[4])
    return Link(
        ifindex=int(row[1]),
        name=_name(row),
        kind=None if row[5] == "-" else row[5],
        master=None if master is None else names.get(master),
        # An interface that is built on none names itself, or 0.
        peer_index=_number(row[2]) or None,
        netns_id=_number(row[3]),
    )


def _name(row: list[str]) -> str:
    return " ".join(row[6:])


def _number(word: str) -> int | None:
    """The kernel writes -1 for a namespace that has no id."""
    return None if word.startswith("-") else int(word)


def _address(digits: str) -> str:
    packed = bytes.fromhex(digits)
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))  # noqa: PLR2004  (bytes of IPv4)


def _mac(digits: str) -> str:
    return bytes.fromhex(digits).hex(":")
