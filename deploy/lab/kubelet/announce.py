"""Tells a pod's neighbours who has its addresses now: an earlier pod may have had them.

Many CNI plugins do so. IPv4: a gratuitous ARP request (RFC 5227, section 3). IPv6: an unsolicited neighbour
advertisement (RFC 4861, section 7.2.6).
"""

import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.lab.namespaces import inside_network

_ETH_P_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_ALL_NODES = "ff02::1"
_FORWARDING = "3"
_STEP_SECONDS = 0.01
_STEPS = 100


def announce(process: int, link: str, interface: str, addresses: Sequence[str]) -> None:
    """Announces addresses from the network namespace of a process.

    Args:
        process: One in the namespace.
        link: The node's end of the pod's link, or "".
        interface: The interface inside.
        addresses: Those that it has.

    Raises:
        OSError: The namespace is gone, or nothing can be sent.
    """
    if link:
        _wait_for_bridge(link)
    inside_network(process, lambda: _announce_inside(interface, addresses))


def _wait_for_bridge(link: str) -> None:
    """A bridge forwards some moments after the port came up."""
    state = Path("/sys/class/net") / link / "brport" / "state"
    for _ in range(_STEPS):
        if not state.exists() or state.read_text().strip() == _FORWARDING:
            return
        time.sleep(_STEP_SECONDS)


def _announce_inside(interface: str, addresses: Sequence[str]) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, _ETH_P_ARP))
        own: bytes = raw.getsockname()[4]
        for address in addresses:
            if ":" not in address:
                raw.send(_gratuitous_arp(own, socket.inet_aton(address)))
    for address in addresses:
        if ":" in address:
            _advertise(interface, own, address)


def _gratuitous_arp(own: bytes, address: bytes) -> bytes:
    ethernet = _BROADCAST + own + struct.pack("!H", _ETH_P_ARP)
    return ethernet + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + own + address + bytes(6) + address


def _advertise(interface: str, own: bytes, address: str) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.bind((address, 0))
        index = socket.if_nametoindex(interface)
        override = 0x20000000
        head = struct.pack("!BBHI", 136, 0, 0, override) + socket.inet_pton(socket.AF_INET6, address)
        raw.sendto(head + struct.pack("!BB", 2, 1) + own, (_ALL_NODES, 0, 0, index))
