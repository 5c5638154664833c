"""Packets that can be told from all others, sent from a node's own network."""

import socket
import struct

from deploy.lab.namespaces import inside_network

_ECHO, _ECHO6 = 8, 128


class Sender:
    """Sends from the network namespace of a process; may be used by several threads at once."""

    def __init__(self, process: int) -> None:
        self._four, self._six, self._datagrams = inside_network(process, _sockets)

    def close(self) -> None:
        for one in (self._four, self._six, self._datagrams):
            one.close()

    def ping(self, address: str, payload: bytes) -> None:
        """Sends an echo request: whoever has the address answers with the same payload."""
        if ":" in address:
            # The kernel computes the checksum of ICMPv6 alone, because its pseudo-header has the source.
            self._six.sendto(struct.pack("!BBHHH", _ECHO6, 0, 0, 1, 1) + payload, (address, 0))
        else:
            total = _checksum(struct.pack("!BBHHH", _ECHO, 0, 0, 1, 1) + payload)
            self._four.sendto(struct.pack("!BBHHH", _ECHO, 0, total, 1, 1) + payload, (address, 0))

    def datagram(self, address: str, port: int, payload: bytes) -> None:
        """Sends a UDP datagram."""
        self._datagrams.sendto(payload, (address, port))


def _sockets() -> tuple[socket.socket, socket.socket, socket.socket]:
    return (
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    )


def _checksum(message: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
