import hashlib
import struct

import pytest

from tests.workers.cut import tunnels
from tests.workers.summary import packets
from workers.cut.headers import headers_length

PAYLOAD = hashlib.shake_128(b"payload").digest(200)
A, B = "10.244.2.1", "10.244.2.2"
A6, B6 = "fe80::1", "fe80::2"
ADDRESS = bytes(range(16))


def kept(frame: bytes) -> int:
    length = headers_length(1, frame, 0, len(frame), len(frame))
    assert headers_length(1, frame[:length], 0, length, len(frame)) == length
    return length


def icmp(kind: int, rest: bytes, *, code: int = 0) -> int:
    """How much is kept of an ICMP message, behind Ethernet and IP."""
    return kept(packets.ethernet(packets.ipv4(A, B, 1, bytes((kind, code, 0, 0)) + rest))) - 34


def icmpv6(kind: int, rest: bytes, *, code: int = 0) -> int:
    return kept(packets.ethernet(packets.ipv6(A6, B6, 58, bytes((kind, code, 0, 0)) + rest))) - 54


@pytest.mark.parametrize("kind", [0, 8, 9, 10, 13, 14, 17, 18, 42, 43, 200])
def test_of_a_message_eight_bytes_are_kept(kind: int) -> None:
    assert icmp(kind, PAYLOAD) == 8


@pytest.mark.parametrize("kind", [128, 129, 138, 139, 140, 144, 160, 200])
def test_of_a_message_of_ipv6_eight_bytes_are_kept(kind: int) -> None:
    assert icmpv6(kind, PAYLOAD) == 8


QUOTES = [
    (6, packets.tcp(40000, 80, PAYLOAD), 8),
    (17, packets.udp(40000, 53, PAYLOAD), 8),
    (132, tunnels.sctp(0, 216, PAYLOAD), 8),
    (1, b"\x08" + bytes(7) + PAYLOAD, 8),
    (58, b"\x80" + bytes(7) + PAYLOAD, 8),
    (50, PAYLOAD, 8),
    (17, tunnels.vxlan(packets.ethernet(packets.ipv4(A, B, 6, packets.tcp(1, 2, PAYLOAD)))), 8),
    (4, packets.ipv4(A, B, 6, packets.tcp(1, 2, PAYLOAD)), 0),
    (47, PAYLOAD, 0),
    (253, PAYLOAD, 0),
    (17, PAYLOAD[:5], 5),
]


@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
@pytest.mark.parametrize(("protocol", "inside", "ports"), QUOTES)
def test_an_error_keeps_the_headers_it_quotes_and_no_payload(
    kind: int, protocol: int, inside: bytes, ports: int
) -> None:
    quote = packets.ipv4(B, A, protocol, inside)
    assert icmp(kind, bytes(4) + quote) == 8 + 20 + ports
    # What does not fit is left out of a quote, and in front of extensions (RFC 4884) it is padded.
    assert icmp(kind, bytes(4) + quote[:36]) == 8 + 20 + min(ports, 16)
    assert icmp(kind, bytes(4) + quote + PAYLOAD) == 8 + 20 + ports


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize(("protocol", "inside", "ports"), QUOTES)
def test_an_error_of_ipv6_keeps_the_headers_it_quotes_and_no_payload(
    kind: int, protocol: int, inside: bytes, ports: int
) -> None:
    extension = (60, b"\x00\x01\x04" + bytes(4))
    quote = packets.ipv6(B6, A6, protocol, inside, extensions=[extension])
    assert icmpv6(kind, bytes(4) + quote) == 8 + 48 + ports


@pytest.mark.parametrize("words", range(5, 16))
def test_a_quoted_ipv4_header_of_any_length_is_kept(words: int) -> None:
    quote = packets.ipv4(B, A, 6, packets.tcp(1, 2, PAYLOAD), options=b"\x01" * 4 * (words - 5))
    assert icmp(3, bytes(4) + quote) == 8 + 4 * words + 8


@pytest.mark.parametrize("field", [3, 0x2003])
def test_behind_a_quoted_later_fragment_nothing_is_kept(field: int) -> None:
    assert icmp(11, bytes(4) + packets.ipv4(B, A, 17, PAYLOAD, fragment=field)) == 8 + 20


def test_what_cannot_be_a_quote_is_payload() -> None:
    quote = packets.ipv4(B, A, 6, packets.tcp(1, 2, PAYLOAD))
    assert icmp(3, bytes(4) + quote[:10] + b"\xff\xff" + quote[12:]) == 8
    assert icmp(3, bytes(4) + quote[:19]) == 8
    assert icmp(3, bytes(4) + PAYLOAD) == 8
    assert icmpv6(1, bytes(4) + PAYLOAD) == 8
    assert icmpv6(1, bytes(4) + packets.ipv6(B6, A6, 6, PAYLOAD)[:39]) == 8


LINK_LAYER = b"\x01\x01" + bytes(6)
PREFIX = b"\x03\x04" + bytes(30)
MTU = b"\x05\x01" + bytes(6)
NAME_SERVER = b"\x19\x03" + bytes(22)
SEARCH_DOMAINS = b"\x1f\x02" + PAYLOAD[:14]


@pytest.mark.parametrize(
    ("kind", "rest", "expected"),
    [
        (133, bytes(4) + LINK_LAYER, 16),
        (134, bytes(12) + LINK_LAYER + MTU + PREFIX + NAME_SERVER, 16 + 8 + 8 + 32 + 24),
        (135, bytes(4) + ADDRESS + LINK_LAYER, 32),
        (135, bytes(4) + ADDRESS, 24),
        (136, bytes(4) + ADDRESS + LINK_LAYER + b"\x0e\x01" + bytes(6), 40),
        (137, bytes(4) + ADDRESS * 2 + LINK_LAYER, 48),
    ],
)
def test_neighbour_discovery_is_kept_whole(kind: int, rest: bytes, expected: int) -> None:
    assert icmpv6(kind, rest) == expected == 4 + len(rest)
    assert icmpv6(kind, rest + PAYLOAD) == expected


@pytest.mark.parametrize(
    ("kind", "rest", "expected"),
    [
        (135, bytes(4) + PAYLOAD[:15], 8),
        (135, bytes(4) + ADDRESS + b"\x01\x00" + PAYLOAD, 24),
        (135, bytes(4) + ADDRESS + b"\x01\x02" + PAYLOAD, 24),
        (135, bytes(4) + ADDRESS + b"\xfd\x02" + PAYLOAD, 24),
        (134, bytes(12) + SEARCH_DOMAINS + MTU, 16),
        (134, bytes(12) + PREFIX[:31], 16),
    ],
)
def test_neighbour_discovery_is_kept_no_further_than_it_is_well_formed(
    kind: int, rest: bytes, expected: int
) -> None:
    assert icmpv6(kind, rest) == expected


def test_neighbour_discovery_with_a_code_is_none() -> None:
    assert icmpv6(135, bytes(4) + ADDRESS + LINK_LAYER, code=1) == 8


def test_a_redirect_keeps_the_headers_of_the_redirected_packet_and_no_payload() -> None:
    packet = packets.ipv6(A6, B6, 17, packets.udp(1, 2, PAYLOAD))
    option = bytes((4, 1 + len(packet) // 8)) + bytes(6) + packet
    assert icmpv6(137, bytes(4) + ADDRESS * 2 + LINK_LAYER + option) == 40 + 8 + 8 + 40 + 8
    assert icmpv6(137, bytes(4) + ADDRESS * 2 + b"\x04\x09" + bytes(6) + PAYLOAD) == 40


def record(kind: int, sources: int, *, words: int = 0) -> bytes:
    """A multicast address record; `words` of auxiliary data."""
    return struct.pack(">BBH", kind, words, sources) + ADDRESS + ADDRESS * sources + PAYLOAD[: 4 * words]


@pytest.mark.parametrize(
    ("kind", "rest", "expected"),
    [
        (130, bytes(4) + ADDRESS, 24),
        (130, bytes(4) + ADDRESS + bytes(4), 28),
        (130, bytes(4) + ADDRESS + b"\x00\x00\x00\x02" + ADDRESS * 2, 60),
        (130, bytes(4) + ADDRESS + b"\x00\x00\x00\x03" + ADDRESS * 2, 28),
        (131, bytes(4) + ADDRESS + PAYLOAD, 24),
        (132, bytes(4) + ADDRESS + PAYLOAD, 24),
        (132, bytes(4) + PAYLOAD[:15], 8),
        (143, b"\x00\x00\x00\x02" + record(4, 0) + record(1, 2) + PAYLOAD, 8 + 20 + 52),
        (143, b"\x00\x00\x00\x02" + record(4, 0) + record(7, 0), 8 + 20),
        (143, b"\x00\x00\x00\x01" + record(4, 0, words=2), 8),
        (143, b"\x00\x00\xff\xff" + record(4, 0), 8 + 20),
        (143, b"\x00\x00\x00\x01" + record(4, 9)[:-1], 8),
    ],
)
def test_multicast_listener_messages_are_kept_as_far_as_they_are_well_formed(
    kind: int, rest: bytes, expected: int
) -> None:
    hop_by_hop = (0, b"\x00\x05\x02" + bytes(4))
    message = bytes((kind, 0, 0, 0)) + rest
    frame = packets.ethernet(packets.ipv6(A6, "ff02::16", 58, message, extensions=[hop_by_hop]))
    assert kept(frame) == 14 + 48 + expected
