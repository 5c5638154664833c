import gzip
import io
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.summary import oracle, packets
from tests.workers.summary.blocks import block, interface, option, packet, section
from tests.workers.summary.packets import Record, pcap
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import EARLIEST, LATEST, PcapError
from workers.summary.flow import Flow
from workers.summary.flows.counted import Counted
from workers.summary.flows.counting import Counting

SECOND = 1_000_000_000
DATAGRAM = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"hello"))
FRAME = packets.ethernet(DATAGRAM)


def counted(data: bytes) -> Counted:
    counting = Counting()
    counting.file(open_capture(io.BytesIO(data)))
    return counting.result()


def only_flow(data: bytes) -> Flow:
    (flow,) = counted(data).flows
    return flow


@pytest.mark.parametrize("order", "<>")
def test_sections_of_either_byte_order_are_read(order: str) -> None:
    data = section(order) + interface(order=order) + packet(FRAME, order=order)
    assert only_flow(data).packets == 1


def test_interfaces_have_link_types_and_resolutions_of_their_own(tmp_path: Path) -> None:
    data = section() + interface() + interface(101, options=option(9, b"\x09")) + interface(113)
    data += packet(FRAME, 5_000_000) + packet(DATAGRAM, 6 * SECOND, 1)
    data += packet(packets.linux_sll(DATAGRAM), 8_000_000, 2) + packet(FRAME, 9_000_000)
    flow = only_flow(data)
    assert (flow.packets, flow.duration) == (4, 4.0)
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(data)
    assert oracle.counted(counted(data).flows) == oracle.conversations(path)


def test_a_resolution_of_a_power_of_two_and_an_offset_are_followed() -> None:
    options = option(9, b"\x8a") + option(14, struct.pack("<q", 100))
    data = section() + interface(options=options) + packet(FRAME, 1024) + packet(FRAME, 1536)
    totals = counted(data).totals
    assert (totals.first, totals.last) == (101 * SECOND, 101 * SECOND + SECOND // 2)


@given(st.integers(0, 2**64 - 1), st.integers(0, 255), st.integers(-(2**63), 2**63 - 1))
def test_whatever_a_file_says_of_its_times_its_packets_count(ticks: int, units: int, offset: int) -> None:
    options = option(9, bytes([units])) + option(14, struct.pack("<q", offset))
    data = section() + interface(options=options) + packet(FRAME, ticks) + packet(FRAME, 2**64 - 1 - ticks)
    totals = counted(data).totals
    assert totals.packets == 2
    assert totals.first is not None
    assert totals.last is not None
    assert EARLIEST <= totals.first <= totals.last <= LATEST


def test_simple_and_obsolete_packets_count() -> None:
    simple = block(3, struct.pack("<I", len(FRAME)) + FRAME)
    obsolete = block(2, struct.pack("<HHIIII", 0, 0, 0, 7, len(FRAME), len(FRAME)) + FRAME)
    assert only_flow(section() + interface() + simple + obsolete).packets == 2


def test_a_simple_packet_is_cut_at_the_snaplen() -> None:
    data = section() + interface(snaplen=44) + block(3, struct.pack("<I", len(FRAME)) + FRAME[:44])
    assert only_flow(data).bytes == len(FRAME)


SIMPLE = block(3, struct.pack("<I", len(FRAME)) + FRAME)
LONG = block(0x0BAD, bytes(200_000))


@pytest.mark.parametrize(
    ("blocks", "times"),
    [
        ((SIMPLE, SIMPLE, packet(FRAME, 7_000_000), SIMPLE, packet(FRAME, 9_000_000)), [7, 7, 7, 7, 9]),
        ((SIMPLE, interface(), packet(FRAME, 7_000_000, 1)), [7, 7]),
        ((SIMPLE, LONG, section("<"), interface(), packet(FRAME, 7_000_000)), [7, 7]),
        ((packet(FRAME, 7_000_000), SIMPLE, packet(FRAME, 5_000_000), SIMPLE), [7, 7, 5, 5]),
        ((SIMPLE, LONG, SIMPLE), [0, 0]),
        ((SIMPLE, b"damage"), [0]),
    ],
)
def test_a_packet_without_a_time_has_that_of_the_one_before_or_the_first_there_is(
    blocks: tuple[bytes, ...], times: list[int]
) -> None:
    file = open_capture(io.BytesIO(section() + interface() + b"".join(blocks)))
    found = list(file.packets())
    assert [time // SECOND for *_, time in found] == times
    assert all(data[start : start + captured] == FRAME for data, start, captured, *_ in found)
    assert file.untimed


def test_where_no_time_comes_soon_later_packets_count_all_the_same() -> None:
    data = section() + interface() + SIMPLE + LONG * 6 + SIMPLE + packet(FRAME, 7_000_000)
    assert [time // SECOND for *_, time in open_capture(io.BytesIO(data)).packets()] == [0, 0, 7]


def test_names_are_read_and_strange_ones_left_out() -> None:
    records = option(1, b"\x0a\0\0\1shop\0") + option(2, bytes(15) + b"\1web.example\0other\0")
    records += option(1, b"\x0a\0\0\2<!channel>\0") + option(0, b"")
    file = open_capture(io.BytesIO(section() + block(4, records)))
    assert not file.next()
    assert file.names == {"10.0.0.1": "shop", "::1": "web.example"}


def test_other_blocks_are_passed_over() -> None:
    data = section() + interface() + block(5, bytes(12)) + block(0x0BAD, b"custom") + packet(FRAME)
    assert only_flow(data).packets == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (packet(FRAME)[:-9], "The file ends in the middle of a block: that one is left out."),
        (packet(FRAME, number=7), "The file is damaged: what follows is not a packet."),
        (
            block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)) + interface() + packet(FRAME),
            "The file is pcapng of an unknown version: what follows is left out.",
        ),
        (packet(FRAME)[:-4] + b"\x0c\0\0\0", "The file is damaged: what follows is no block of pcapng."),
        (
            struct.pack("<IIQ", 6, 1 << 30, 0),
            "The file is damaged: what follows is no block of pcapng.",
        ),
    ],
)
def test_a_damaged_file_gives_what_could_be_read_and_a_sentence(more: bytes, sentence: str) -> None:
    file = open_capture(io.BytesIO(section() + interface() + packet(FRAME) + more))
    assert len(list(file.packets())) == 1
    assert file.trouble == sentence


def test_a_gzipped_file_is_read_and_one_cut_short_too() -> None:
    packed = gzip.compress(pcap([Record(FRAME)] * 50))
    assert only_flow(packed).packets == 50
    assert only_flow(gzip.compress(section() + interface()) + gzip.compress(packet(FRAME))).packets == 1
    assert counted(packed[:-20]).totals.packets <= 50


def test_what_only_begins_like_pcapng_is_no_capture() -> None:
    with pytest.raises(PcapError, match="neither pcap nor pcapng"):
        open_capture(io.BytesIO(b"\n\r\r\n" + b"text " * 20)).next()


def test_pcapng_that_editcap_made_of_a_recording_counts_the_same(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "recorded.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", recorded, path], check=True)
    assert counted(path.read_bytes()) == counted(recorded.read_bytes())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_no_bytes_break_the_reading(more: bytes, place: int, value: int) -> None:
    data = bytearray(section() + interface(options=option(9, b"\x09")) + packet(FRAME) + packet(FRAME) + more)
    data[place % len(data)] ^= value
    with suppress(PcapError):
        assert counted(bytes(data)).totals.packets >= 0
