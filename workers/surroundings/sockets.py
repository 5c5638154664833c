"""The sockets of a network namespace: `/proc/PID/net/{tcp,tcp6,udp,udp6}`, and how they are used. Pure.

Columns and states: Documentation/networking/proc_net_tcp.rst, include/net/tcp_states.h. Addresses are words
of 32 bits in the byte order of a little-endian node, which all nodes of Kubernetes but s390x are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

_STATES = {
    0x01: "ESTABLISHED",
    0x02: "SYN-SENT",
    0x03: "SYN-RECEIVED",
    0x04: "FIN-WAIT-1",
    0x05: "FIN-WAIT-2",
    0x06: "TIME-WAIT",
    0x07: "CLOSED",
    0x08: "CLOSE-WAIT",
    0x09: "LAST-ACK",
    0x0A: "LISTEN",
    0x0B: "CLOSING",
    0x0C: "SYN-RECEIVED",
}
_LISTEN = 0x0A
_MOST = 50
_COLUMNS = 10
_DROPS = 12


class Listener(NamedTuple):
    """A socket that waits for connections, or a UDP socket without a peer.

    Attributes:
        protocol: `TCP` or `UDP`.
        address: `0.0.0.0` and `::` are all of the pod's.
        port: Its port.
        queued: Connections that nobody has accepted yet; of UDP bytes that nobody has read yet.
        dropped: Datagrams that it has dropped; of TCP 0, which is counted for all together.
    """

    protocol: str
    address: str
    port: int
    queued: int
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Sockets:
    """All sockets of a namespace.

    Attributes:
        states: How many TCP sockets are in each state, by RFC 9293's names, without those that listen.
        listeners: Fifty at most.
        waiting: Sockets with a segment that was sent again and is not acknowledged yet.
        unread: Bytes that applications have not read yet, of connections.
        unsent: Bytes that are not acknowledged yet.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()
    waiting: int = 0
    unread: int = 0
    unsent: int = 0


def read(files: Mapping[str, str]) -> Sockets:
    """The sockets.

    Args:
        files: `tcp`, `tcp6`, `udp`, `udp6`; any may be missing, torn, or be no such file.
    """
    states: Counter[str] = Counter()
    listeners: list[Listener] = []
    waiting = unread = unsent = 0
    for name in ("tcp", "tcp6"):
        for row in _rows(files.get(name, "")):
            if row.state == _LISTEN:
                listeners.append(Listener("TCP", row.address, row.port, row.received))
                continue
            states[_STATES.get(row.state, f"state {row.state}")] += 1
            waiting += row.repeated > 0
            unread += row.received
            unsent += row.sent
    for name in ("udp", "udp6"):
        listeners += [
            Listener("UDP", row.address, row.port, row.received, row.drops)
            for row in _rows(files.get(name, ""))
            if row.state == 0x07  # noqa: PLR2004, one that is connected is 1
        ]
    ordered = sorted(set(listeners), key=lambda each: (each.protocol, each.port, each.address))
    return Sockets(dict(states.most_common()), tuple(ordered[:_MOST]), waiting, unread, unsent)


class _Row(NamedTuple):
    address: str
    port: int
    state: int
    sent: int
    received: int
    repeated: int
    drops: int


def _rows(text: str) -> Iterator[_Row]:
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) < _COLUMNS:
            continue
        try:
            address, port = columns[1].split(":")
            sent, received = columns[4].split(":")
            drops = int(columns[_DROPS]) if len(columns) == _DROPS + 1 else 0
            yield _Row(
                _address(address),
                int(port, 16),
                int(columns[3], 16),
                int(sent, 16),
                int(received, 16),
                int(columns[6], 16),
                drops,
            )
        except ValueError:
            continue


def _address(text: str) -> str:
    words = bytes.fromhex(text)
    if len(words) not in (4, 16):
        raise ValueError(f"{text} is no address")
    packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))  # noqa: PLR2004, bytes
