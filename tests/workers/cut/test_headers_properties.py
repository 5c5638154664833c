"""Whatever stands around it: payload never gets through, and headers get through byte for byte."""

import hashlib
import io
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.examples import examples
from tests.workers.cut import tunnels
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.cut.headers import SNAPLEN, cut
from workers.summary.files.pcapfile import PcapFile

MARKER = hashlib.shake_128(b"marker").digest(128)
WINDOWS = [MARKER[at : at + 8] for at in range(len(MARKER) - 7)]
A, B, A6, B6 = "10.1.2.3", "10.4.5.6", "2001:db8::1", "2001:db8::2"


@dataclass(frozen=True)
class Stack:
    """Headers with the marker behind them: the bytes, how many of them are headers, and what they are."""

    data: bytes
    headers: int
    kind: int

    def inside(self, around: bytes, kind: int) -> "Stack":
        """`around`, which ends in these bytes, is a header more."""
        return Stack(around, self.headers + len(around) - len(self.data), kind)


WORDS = st.integers(0, 10).map(lambda words: bytes(4 * words))
PAYLOADS = st.integers(8, len(MARKER)).map(lambda size: MARKER[:size])
_EXTENSION = st.one_of(
    st.tuples(st.sampled_from([0, 43, 60]), st.integers(0, 3)).map(
        lambda drawn: (drawn[0], bytes([drawn[1]]) + bytes(6 + 8 * drawn[1]))
    ),
    st.just((51, b"\x04" + bytes(22))),
    st.just((44, bytes(7))),
)


@st.composite
def transports(draw: DrawFn) -> Stack:
    """An IP protocol with the marker behind its header."""
    payload = draw(PAYLOADS)
    header, protocol = draw(
        st.one_of(
            WORDS.map(lambda options: (packets.tcp(40000, 80, options=options), 6)),
            st.just((packets.udp(40000, 53, payload)[:8], 17)),
            st.just((bytes(8), 1)),
            st.just((b"\x80" + bytes(7), 58)),
            st.just((tunnels.sctp(0, 16 + len(payload), bytes(12)), 132)),
            st.just((bytes(8), 50)),
            st.sampled_from([(b"", 59), (b"", 89), (b"", 253)]),
        )
    )
    return Stack(header + payload, len(header), protocol)


@st.composite
def datagrams(draw: DrawFn, inside: Stack) -> Stack:
    """IPv4 or IPv6 around it; the kind is an EtherType."""
    if draw(st.booleans()):
        return inside.inside(packets.ipv4(A, B, inside.kind, inside.data, options=draw(WORDS)), tunnels.IPV4)
    extensions = draw(st.lists(_EXTENSION, max_size=3))
    return inside.inside(packets.ipv6(A6, B6, inside.kind, inside.data, extensions=extensions), tunnels.IPV6)


@st.composite
def frames(draw: DrawFn, inside: Stack) -> Stack:
    vlans = draw(st.lists(st.sampled_from([(0x8100, 5), (0x88A8, 6), (0x9100, 7)]), max_size=2))
    return inside.inside(packets.ethernet(inside.data, inside.kind, vlans=vlans), tunnels.BRIDGED)


@st.composite
def tunnelled(draw: DrawFn, inside: Stack) -> Stack:
    """A tunnel around a datagram; the kind is an IP protocol."""
    carried = draw(st.one_of(st.just(inside), frames(inside)))
    options = draw(st.sampled_from([b"", tunnels.geneve_option(8), tunnels.geneve_option(24)]))
    flags = sum(draw(st.sets(st.sampled_from([0x8000, 0x2000, 0x1000]))))
    choices = [
        (tunnels.geneve(carried.data, carried.kind, options=options), 17),
        (tunnels.gre(carried.data, carried.kind, flags=flags), 47),
    ]
    if carried.kind == tunnels.BRIDGED:
        choices.append((tunnels.vxlan(carried.data, port=draw(st.sampled_from([4789, 8472]))), 17))
    else:
        choices.append((carried.data, {tunnels.IPV4: 4, tunnels.IPV6: 41}[carried.kind]))
    return carried.inside(*draw(st.sampled_from(choices)))


@st.composite
def stacks(draw: DrawFn) -> Stack:
    """Up to three IP headers; the kind is an EtherType."""
    stack = draw(datagrams(draw(transports())))
    for _ in range(draw(st.integers(0, 2))):
        stack = draw(datagrams(draw(tunnelled(stack))))
    return stack


LINKS: dict[int, Callable[[Stack], bytes]] = {
    1: lambda stack: packets.ethernet(stack.data, stack.kind),
    113: lambda stack: packets.linux_sll(stack.data, stack.kind),
    276: lambda stack: packets.linux_sll2(stack.data, stack.kind),
    101: lambda stack: stack.data,
    0: lambda stack: packets.null(stack.data, 2 if stack.kind == tunnels.IPV4 else 30),
}


def after_cut(data: bytes) -> tuple[bytes, list[tuple[bytes, int]]]:
    target = io.BytesIO()
    cut(io.BytesIO(data), target)
    found = PcapFile(io.BytesIO(target.getvalue())).packets()
    return target.getvalue(), [(buffer[at : at + size], length) for buffer, at, size, length, _ in found]


@settings(max_examples=examples(60))
@given(stacks(), st.sampled_from(sorted(LINKS)), st.sampled_from([SNAPLEN, 262_144]), PAYLOADS)
def test_of_any_stack_of_headers_all_are_kept_and_no_payload(
    stack: Stack, link_type: int, snaplen: int, trailer: bytes
) -> None:
    frame = LINKS[link_type](stack)
    headers = stack.headers + len(frame) - len(stack.data)
    if link_type == 1:
        frame += trailer
    stored, [(kept, length)] = after_cut(packets.pcap([Record(frame, snaplen=snaplen)], link_type=link_type))
    assert not [window for window in WINDOWS if window in stored]
    assert frame.startswith(kept)
    assert length == len(frame)
    if headers <= SNAPLEN:
        assert len(kept) == headers


@settings(max_examples=examples(50))
@given(st.data(), stacks(), st.sampled_from(sorted(LINKS)))
def test_of_a_broken_packet_no_more_than_a_snaplen_is_kept_and_cutting_twice_changes_nothing(
    data: st.DataObject, stack: Stack, link_type: int
) -> None:
    frame = bytearray(LINKS[link_type](stack))
    for at in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=8)):
        frame[at] = data.draw(st.integers(0, 255))
    snaplen = data.draw(st.integers(0, len(frame)))
    stored, [(kept, length)] = after_cut(
        packets.pcap([Record(bytes(frame), snaplen=snaplen)], link_type=link_type)
    )
    assert bytes(frame).startswith(kept)
    assert len(kept) <= min(snaplen, SNAPLEN)
    assert length == len(frame)
    assert after_cut(stored)[0] == stored


@settings(max_examples=examples(50))
@given(st.lists(st.binary(max_size=200), max_size=5), st.sampled_from([*LINKS, 12, 14, 108, 127, 228, 229]))
def test_any_bytes_are_cut(frames: list[bytes], link_type: int) -> None:
    stored, kept = after_cut(packets.pcap(map(Record, frames), link_type=link_type))
    assert all(frame.startswith(left) for frame, (left, _) in zip(frames, kept, strict=True))
    assert after_cut(stored)[0] == stored


@settings(max_examples=examples(40))
@given(st.sampled_from([4789, 8472, 6081]), st.binary(max_size=40), PAYLOADS)
def test_at_a_tunnels_port_anything_else_is_payload(port: int, beginning: bytes, payload: bytes) -> None:
    frame = packets.ethernet(packets.ipv4(A, B, 17, packets.udp(40000, port, beginning + payload)))
    stored, _ = after_cut(packets.pcap([Record(frame)]))
    assert not [window for window in WINDOWS if window in stored]


@pytest.mark.parametrize("port", [4789, 8472, 6081, 51820])
@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", struct.pack(">H", 9) + bytes(9), b"\x16\x03\x01" * 9],
)
def test_other_protocols_at_a_tunnels_port_are_cut_behind_udp(port: int, said: bytes) -> None:
    frame = packets.ethernet(packets.ipv4(A, B, 17, packets.udp(40000, port, said + MARKER)))
    assert after_cut(packets.pcap([Record(frame)]))[1] == [(frame[:42], len(frame))]
