"""What a capture file holds, as addresses and payloads: enough to say whose packets they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from workers.summary.files.pcapfile import PcapFile

_ETHERNET, _SLL2 = 1, 276
_IPV4, _IPV6 = 0x0800, 0x86DD


@dataclass(frozen=True)
class Seen:
    """One packet of IPv4 or IPv6.

    Attributes:
        everyone: Whether it was sent to all of a network, and so passes every pod on it.
        content: Everything behind the link's header.
    """

    source: str
    target: str
    everyone: bool
    content: bytes


def seen(path: Path) -> Iterator[Seen]:
    """The packets of a pcap file, in its order; those that are neither IPv4 nor IPv6 are left out."""
    with path.open("rb") as file:
        pcap = PcapFile(file)
        header, kind_at = {_ETHERNET: (14, 12), _SLL2: (20, 0)}[pcap.link_type]
        for data, start, length, _, _ in pcap.packets():
            packet = data[start : start + length]
            kind = int.from_bytes(packet[kind_at : kind_at + 2])
            content = packet[header:]
            if kind == _IPV4:
                source, target = content[12:16], content[16:20]
            elif kind == _IPV6:
                source, target = content[8:24], content[24:40]
            else:
                continue
            everyone = pcap.link_type == _ETHERNET and bool(packet[0] & 1)
            yield Seen(str(ip_address(source)), str(ip_address(target)), everyone, content)
        if pcap.trouble:
            raise ValueError(pcap.trouble)
