import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.summary.layers.layers import BRIDGED, IPV4, UNKNOWN
from workers.summary.layers.tunnels import OVER_UDP, Inside, behind_wireguard, geneve, gre, vxlan

VXLAN = b"\x08\0\0\0" + b"\0\0\x2a\0"
GENEVE = struct.pack(">BBHI", 0, 0, 0x6558, 42 << 8)


def option(size: int, reserved: int = 0) -> bytes:
    """Of Geneve, with `size` bytes of data."""
    return b"\x01\x02\x03" + bytes((reserved | size // 4,)) + bytes(size)


def test_vxlan_carries_a_frame_behind_its_header() -> None:
    assert vxlan(b"?" + VXLAN + b"frame", 1, 14) == Inside(BRIDGED, 9)


@pytest.mark.parametrize(
    "header",
    [VXLAN[:7], b"\0" + VXLAN[1:], b"\x09" + VXLAN[1:], VXLAN[:3] + b"\1" + VXLAN[4:], VXLAN[:7] + b"\1"],
    ids=["cut", "no identifier", "a flag", "reserved", "reserved behind"],
)
def test_what_is_no_vxlan_header_is_none(header: bytes) -> None:
    assert vxlan(header, 0, len(header)) is None


def test_geneve_says_what_it_carries_behind_its_options() -> None:
    options = option(4) + option(0)
    header = struct.pack(">BBHI", len(options) // 4, 0x40, IPV4, 7 << 8) + options
    assert geneve(header + b"ip", 0, len(header) + 2) == Inside(IPV4, 20)
    assert geneve(GENEVE, 0, 8) == Inside(BRIDGED, 8)


@pytest.mark.parametrize(
    "header",
    [
        GENEVE[:7],
        b"\x40" + GENEVE[1:],
        GENEVE[:1] + b"\x80" + GENEVE[2:],
        GENEVE[:2] + b"\x08\x06" + GENEVE[4:],
        GENEVE[:7] + b"\1",
        b"\x01" + GENEVE[1:],
        b"\x01" + GENEVE[1:] + option(4),
        b"\x01" + GENEVE[1:] + option(0, 0x20),
    ],
    ids=["cut", "version", "control", "ARP", "reserved", "no options", "long option", "reserved in option"],
)
def test_what_is_no_geneve_header_is_none(header: bytes) -> None:
    assert geneve(header, 0, len(header)) is None


@pytest.mark.parametrize(("flags", "size"), [(0, 4), (0x2000, 8), (0xA000, 12), (0xB000, 16)])
def test_gre_is_as_long_as_its_flags_say(flags: int, size: int) -> None:
    header = struct.pack(">HH", flags, IPV4) + bytes(size - 4)
    assert gre(header, 0, size) == Inside(IPV4, size)
    assert gre(header, 0, size - 1) is None


def test_gre_of_another_version_or_with_routing_is_none_and_what_it_carries_may_be_unknown() -> None:
    assert gre(b"\x20\x01\x88\x0b" + bytes(12), 0, 16) is None
    assert gre(b"\x40\0\x08\0" + bytes(12), 0, 16) is None
    assert gre(b"\0\0\x88\x0b" + bytes(12), 0, 16) == Inside(UNKNOWN, 4)


def test_of_wireguard_what_stands_before_the_encrypted_part_is_open() -> None:
    data = b"\x04\0\0\0" + bytes(12) + bytes(48)
    assert behind_wireguard(data, 0, 64, 64) == 16
    assert behind_wireguard(data, 0, 63, 63) == 0
    assert behind_wireguard(b"\x01\0\0\0" + bytes(144), 0, 148, 148) == 8
    assert behind_wireguard(b"\x01\0\0\0" + bytes(145), 0, 149, 149) == 0
    assert behind_wireguard(b"\x04\1\0\0" + bytes(60), 0, 64, 64) == 0


@given(st.binary(max_size=80), st.integers(0, 80))
def test_no_bytes_break_the_reading_and_nothing_begins_behind_their_end(data: bytes, at: int) -> None:
    for read in (*OVER_UDP.values(), gre):
        inside = read(data, at, len(data))
        assert inside is None or at < inside.start <= len(data)
    assert at <= max(at, behind_wireguard(data, at, len(data), len(data))) <= max(at, len(data))
