"""Cutting a pcap file behind its last whole packet."""

from pathlib import Path

from workers.spool.counter import PacketCounter

_BLOCK = 1 << 20


def keep_whole_packets(path: Path) -> PacketCounter:
    """Cuts off what is no whole packet; what the file holds then."""
    counter = PacketCounter()
    with path.open("a+b") as file:
        file.seek(0)
        while block := file.read(_BLOCK):
            counter.feed(block)
        file.truncate(counter.whole)
    return counter
