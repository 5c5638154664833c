import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.summary.packets import Record, pcap
from workers.summary.files.packets import LONGEST_PACKET, PcapError
from workers.summary.files.pcapfile import PcapFile

RECORDS = st.lists(
    st.builds(
        Record,
        st.binary(max_size=300),
        st.integers(0, 0xFFFFFFFF * 1_000_000_000),
        st.integers(0, 300),
    ),
    max_size=20,
)


class Dripping(io.RawIOBase):
    """A source that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, portion: int) -> None:
        self._data = io.BytesIO(data)
        self._portion = portion

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._portion))


def read(file: PcapFile) -> list[tuple[bytes, int, int]]:
    return [
        (data[start : start + captured], length, time)
        for data, start, captured, length, time in file.packets()
    ]


@given(RECORDS, st.sampled_from("<>"), st.booleans(), st.integers(1, 100))
def test_what_was_written_is_read_whatever_byte_order_resolution_and_portions(
    records: list[Record], byte_order: str, nanoseconds: bool, portion: int
) -> None:
    data = pcap(records, byte_order=byte_order, nanoseconds=nanoseconds, link_type=113)
    file = PcapFile(Dripping(data, portion))  # type: ignore[arg-type]  # a raw source reads like a buffered one
    tick = 1 if nanoseconds else 1000
    expected = [(each.frame[: each.snaplen], len(each.frame), each.time // tick * tick) for each in records]
    assert read(file) == expected
    assert (file.link_type, file.trouble) == (113, None)


@given(RECORDS, st.data())
def test_a_file_cut_anywhere_gives_the_whole_packets_before_the_cut(
    records: list[Record], data: st.DataObject
) -> None:
    whole = pcap(records)
    cut = data.draw(st.integers(24, len(whole)))
    file = PcapFile(io.BytesIO(whole[:cut]))
    packets = read(file)
    assert packets == read(PcapFile(io.BytesIO(whole)))[: len(packets)]
    used = 24 + sum(16 + len(frame) for frame, _, _ in packets)
    assert used <= cut
    assert (file.trouble is None) == (used == cut)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty: fetch it again, or capture again."),
        (
            b"\xd4\xc3\xb2\xa1\x02\x00",
            "The file ends in the middle of its header: fetch it again, or capture again.",
        ),
        (
            b"\x0a\x0d\x0d\x0a" + bytes(30),
            "The file is pcapng: convert it with `editcap -F pcap FILE OUT`.",
        ),
        (b"\x1f\x8b" + bytes(30), "The file is not a pcap file: capture again."),
        (b"GET", "The file is not a pcap file: capture again."),
    ],
)
def test_another_kind_of_file_is_refused_with_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(PcapError) as refused:
        PcapFile(io.BytesIO(data))
    assert str(refused.value) == sentence


def test_a_packet_longer_than_any_ends_the_file_there() -> None:
    good = pcap([Record(b"one"), Record(b"two")])
    file = PcapFile(io.BytesIO(good + struct.pack("<IIII", 1, 2, LONGEST_PACKET + 1, 9) + bytes(100)))
    assert [frame for frame, _, _ in read(file)] == [b"one", b"two"]
    assert file.trouble == "The file is damaged: what follows is not a packet."


@given(st.binary(max_size=2000))
def test_no_bytes_behind_a_header_break_the_reader(junk: bytes) -> None:
    file = PcapFile(io.BytesIO(pcap([]) + junk))
    assert all(start + captured <= len(data) for data, start, captured, _, _ in file.packets())


def test_packets_across_the_blocks_of_a_big_file_are_read_whole() -> None:
    frames = [bytes([number % 251]) * (1000 + number % 700) for number in range(2500)]
    file = PcapFile(io.BytesIO(pcap(Record(frame) for frame in frames)))
    assert [frame for frame, _, _ in read(file)] == frames
