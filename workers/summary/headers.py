"""Headers only, exactly: every packet is cut behind its own layer-4 header, whatever its length.

One fixed snaplen would leave payload behind short headers. Padding behind a datagram goes as well, and what
stands in a tunnel is payload. What is not understood is cut behind the last header that is.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from workers.summary import layers
from workers.summary.pcapfile import PcapFile

SNAPLEN = 256
"""Bytes to ask tcpdump for where only headers are wanted: twice what Ethernet with two VLAN tags, IPv6 and
the longest TCP header take, so that extension headers find room. `cut` makes it exact."""

_TCP_HEADER = 20
_SHORT_HEADER = 8  # UDP; ICMP's and ICMPv6's part before any quoted packet
_ARP_FIXED = 8
_ARP_ETHERNET_IPV4 = 28
_FLUSH = 1 << 20


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut: packets, their captured bytes before and after, and why it ended early, if it did."""

    packets: int
    bytes_in: int
    bytes_out: int
    trouble: str | None


def cut(source: BinaryIO, target: BinaryIO) -> Cut:
    """Copies a pcap file with each packet cut behind its headers; the length on the wire stays.

    Raises:
        PcapError: The source is no pcap file.
        OSError: Reading or writing failed.
    """
    file = PcapFile(source)
    link_type = file.link_type
    record = struct.Struct(file.byte_order + "II").pack
    out = bytearray(file.header)
    packets = bytes_in = bytes_out = 0
    for data, start, captured, length, _ in file.packets():
        kept = headers_length(link_type, data, start, start + captured, start + length)
        out += data[start - 16 : start - 8]
        out += record(kept, length)
        out += data[start : start + kept]
        packets += 1
        bytes_in += captured
        bytes_out += kept
        if len(out) > _FLUSH:
            target.write(out)
            out.clear()
    target.write(out)
    return Cut(packets, bytes_in, bytes_out, file.trouble)


def headers_length(link_type: int, data: bytes, start: int, end: int, wire_end: int) -> int:
    """How many bytes of the packet at `start` are headers; `end` is where its captured bytes end."""
    below = layers.network(link_type, data, start, end)
    if below.ethertype == layers.ARP:
        return _behind_arp(data, below.start, end) - start
    found = layers.datagram(below.ethertype, data, below.start, end, max(end, wire_end))
    if found is None:
        return below.start - start
    if found.fragment is not None and found.fragment.offset:
        return found.start - start
    return _behind_transport(found, data, min(end, found.end)) - start


def _behind_transport(found: layers.Datagram, data: bytes, end: int) -> int:
    """Where the layer-4 header ends; one that is cut off is kept as far as it goes."""
    at = found.start
    if found.protocol == layers.TCP:
        if at + _TCP_HEADER > end:
            return end
        header = (data[at + 12] >> 4) * 4
        return min(at + header, end) if header >= _TCP_HEADER else at
    if found.protocol in (layers.UDP, layers.ICMP, layers.ICMPV6):
        return min(at + _SHORT_HEADER, end)
    return at


def _behind_arp(data: bytes, at: int, end: int) -> int:
    """ARP for IPv4 on Ethernet whole; of any other only the part that is the same for all (RFC 826)."""
    if data[at : at + 6] == b"\x00\x01\x08\x00\x06\x04":
        return min(at + _ARP_ETHERNET_IPV4, end)
    return min(at + _ARP_FIXED, end)
