import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.spool.counter import PacketCounter
from workers.spool.whole import keep_whole_packets

MAGICS = st.sampled_from([("<", 0xA1B2C3D4), ("<", 0xA1B23C4D), (">", 0xA1B2C3D4), (">", 0xA1B23C4D)])


def pcap(order: str, magic: int, sizes: list[int]) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, 1)
    return head + b"".join(struct.pack(f"{order}IIII", 1, 2, size, 1500) + bytes(size) for size in sizes)


@given(MAGICS, st.lists(st.integers(0, 80), max_size=20), st.integers(1, 200))
def test_packets_are_counted_however_the_file_is_cut(
    kind: tuple[str, int], sizes: list[int], step: int
) -> None:
    file = pcap(*kind, sizes)
    counter = PacketCounter()
    for at in range(0, len(file), step):
        counter.feed(memoryview(file)[at : at + step])
    assert counter.packets == len(sizes)


@given(st.lists(st.integers(1, 80), min_size=1, max_size=9), st.data())
def test_a_packet_counts_once_it_is_whole(sizes: list[int], data: st.DataObject) -> None:
    file = pcap("<", 0xA1B2C3D4, sizes)
    cut = data.draw(st.integers(0, len(file)))
    ends = [24 + sum(sizes[: n + 1]) + 16 * (n + 1) for n in range(len(sizes))]
    counter = PacketCounter()
    counter.feed(file[:cut])
    assert counter.packets == sum(end <= cut for end in ends)


@given(MAGICS, st.lists(st.integers(0, 80), max_size=9), st.data())
def test_a_file_cut_anywhere_is_cut_back_to_its_whole_packets(
    tmp_path_factory: pytest.TempPathFactory, kind: tuple[str, int], sizes: list[int], data: st.DataObject
) -> None:
    file = pcap(*kind, sizes)
    cut = data.draw(st.integers(0, len(file)))
    path = tmp_path_factory.mktemp("cut") / "spool.pcap"
    path.write_bytes(file[:cut])
    packets = keep_whole_packets(path).packets
    assert packets is not None
    assert path.read_bytes() == (pcap(*kind, sizes[:packets]) if cut >= 24 else b"")
    assert len(pcap(*kind, sizes[: packets + 1])) > cut or packets == len(sizes)


@given(st.binary(min_size=24, max_size=300).filter(lambda b: struct.unpack("<I", b[:4])[0] & 0xFF != 0xD4))
def test_what_is_no_pcap_is_not_counted(garbage: bytes) -> None:
    counter = PacketCounter()
    counter.feed(b"\0" + garbage[1:])
    assert counter.packets is None
