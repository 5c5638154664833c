"""The few packets that are taken out of a file."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.summary import blocks, packets
from tests.workers.summary.findings import cases
from tests.workers.summary.findings.wire import Wire
from tests.workers.summary.packets import Record
from workers.dissection.file import file_of
from workers.dissection.selection import Selected, select
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import PcapError

ROOM = 1 << 20


def frames(data: bytes, wanted: list[int], room: int = ROOM) -> list[int]:
    return [each.frame for each in select(io.BytesIO(data), wanted, most_bytes=room).packets]


def two_connections() -> Wire:
    """The first one's packets are the odd frames, from 1 to 39."""
    wire = Wire()
    one, other = wire.tcp(opened=False), wire.tcp(opened=False)
    for _ in range(10):
        one.says(b"a")
        other.says(b"a")
        one.hears(b"b")
        other.hears(b"b")
    return wire


def test_a_packet_comes_with_the_begin_of_its_connection_and_what_is_around_it() -> None:
    assert frames(two_connections().file(), [25]) == [1, 3, 5, 17, 19, 21, 23, 25, 27, 29, 31, 33]


def test_those_near_it_are_the_ones_that_are_shown() -> None:
    selection = select(io.BytesIO(two_connections().file()), [25, 4], most_bytes=ROOM)
    assert selection.shown == {25: [21, 23, 25, 27, 29, 31], 4: [2, 4, 6, 8, 10]}


def test_what_has_no_room_is_left_out_beginning_with_what_is_around() -> None:
    size = len(two_connections().records[0].frame)
    assert frames(two_connections().file(), [25, 4], 2 * size) == [4, 25]
    assert frames(two_connections().file(), [25], 3 * size) == [25, 27, 29]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("tags", [(), ((0x8100, 7),), ((0x88A8, 7), (0x8100, 8))])
def test_a_connection_is_known_whatever_stands_before_its_addresses(
    version: int, tags: tuple[tuple[int, int], ...]
) -> None:
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] if version == 4 else ["fd00::1", "fd00::2", "fd00::3"]
    build = packets.ipv4 if version == 4 else packets.ipv6
    ends = [(0, 1), (0, 2), (1, 0), (2, 0), (0, 1)]
    records = [
        Record(packets.ethernet(build(addresses[a], addresses[b], 17, packets.udp(9, 9, b"x")), vlans=tags))
        for a, b in ends
    ]
    assert frames(packets.pcap(records), [3]) == [1, 3, 5]


def test_what_is_neither_tcp_nor_udp_comes_alone() -> None:
    wire = cases.absent()
    assert frames(wire.file(), [10]) == [10]


def test_frames_that_are_not_there_are_no_fault() -> None:
    assert frames(two_connections().file(), [1000]) == []


def test_a_file_that_is_no_capture_is_refused() -> None:
    with pytest.raises(PcapError):
        select(io.BytesIO(b"no capture at all, but long enough"), [1], most_bytes=ROOM)


@settings(max_examples=examples(20))
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 101, 113, 276]),
            st.binary(min_size=1, max_size=300),
            st.integers(0, 2**31 * 10**9),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_file_of_selected_packets_has_just_these(made: list[tuple[int, bytes, int]]) -> None:
    selected = [
        Selected(number, link_type, data, len(data) + 7, time)
        for number, (link_type, data, time) in enumerate(made, 1)
    ]
    file = open_capture(io.BytesIO(file_of(selected)))
    read = [
        Selected(number, file.link_type, data[start : start + captured], length, time)
        for number, (data, start, captured, length, time) in enumerate(file.packets(), 1)
    ]
    assert read == selected


def test_packets_of_pcapng_and_of_several_link_types_are_selected() -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 53, b"x"))
    file = blocks.section() + blocks.interface(1) + blocks.interface(101)
    file += blocks.packet(packets.ethernet(datagram), 5, 0) + blocks.packet(datagram, 6, 1)
    selection = select(io.BytesIO(file), [1, 2], most_bytes=ROOM)
    assert [(each.frame, each.link_type) for each in selection.packets] == [(1, 1), (2, 101)]
