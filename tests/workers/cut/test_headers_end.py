"""Cases: a packet, and how many of its bytes are headers. Behind them stands payload, to the last byte."""

import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.cut import tunnels
from tests.workers.cut.tunnels import BRIDGED, IPV4, IPV6
from tests.workers.summary import packets
from workers.cut.headers import LONGEST_USUAL, SNAPLEN, headers_length
from workers.summary.layers.tunnels import OVER_UDP, WIREGUARD_PORTS

PAYLOAD = hashlib.shake_128(b"payload").digest(200)
A, B = "10.244.2.1", "10.244.2.2"
A6, B6 = "2001:db8::1", "2001:db8::2"
TCP = packets.tcp(40000, 80, PAYLOAD)
OVER_IPV4 = packets.ipv4(A, B, 6, TCP)
OVER_IPV6 = packets.ipv6(A6, B6, 6, TCP)


def kept(frame: bytes, *, link_type: int = 1, captured: int | None = None) -> int:
    end = len(frame) if captured is None else captured
    length = headers_length(link_type, frame, 0, end, len(frame))
    # What was cut once stays as it is.
    assert headers_length(link_type, frame[:length], 0, length, len(frame)) == length
    return length


@pytest.mark.parametrize("ip_words", range(5, 16))
@pytest.mark.parametrize("tcp_words", range(5, 16))
def test_tcp_over_ipv4_is_cut_behind_both_headers_whatever_their_length(
    ip_words: int, tcp_words: int
) -> None:
    segment = packets.tcp(40000, 80, PAYLOAD, options=b"\x01" * 4 * (tcp_words - 5))
    frame = packets.ethernet(packets.ipv4(A, B, 6, segment, options=b"\x01" * 4 * (ip_words - 5)))
    assert kept(frame) == 14 + 4 * ip_words + 4 * tcp_words


LINKS: dict[str, tuple[int, Callable[[bytes], bytes], int]] = {
    "Ethernet": (1, packets.ethernet, 14),
    "VLAN": (1, lambda inside: packets.ethernet(inside, vlans=[(0x8100, 5)]), 18),
    "QinQ": (1, lambda inside: packets.ethernet(inside, vlans=[(0x88A8, 5), (0x8100, 6)]), 22),
    "QinQ before its standard": (
        1,
        lambda inside: packets.ethernet(inside, vlans=[(0x9100, 5), (0x8100, 6)]),
        22,
    ),
    "Linux cooked": (113, lambda inside: packets.linux_sll(inside, _ethertype(inside)), 16),
    "Linux cooked 2": (276, lambda inside: packets.linux_sll2(inside, _ethertype(inside)), 20),
    "raw": (101, lambda inside: inside, 0),
    "raw of OpenBSD": (14, lambda inside: inside, 0),
    "null": (0, lambda inside: packets.null(inside, 2 if inside[0] >> 4 == 4 else 30), 4),
    "loop": (108, lambda inside: packets.null(inside, 2 if inside[0] >> 4 == 4 else 24, ">"), 4),
}


def _ethertype(datagram: bytes) -> int:
    return IPV4 if datagram[0] >> 4 == 4 else IPV6


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("datagram", "ip"), [(OVER_IPV4, 20), (OVER_IPV6, 40)])
def test_every_link_type_is_looked_through(link: str, datagram: bytes, ip: int) -> None:
    link_type, around, header = LINKS[link]
    assert kept(around(datagram), link_type=link_type) == header + ip + 20


def test_of_an_unknown_link_type_nothing_is_kept() -> None:
    assert kept(packets.ethernet(OVER_IPV4), link_type=127) == 0


# Next header, and what stands behind its first byte: lengths in units of 8 bytes, of AH in units of 4.
EXTENSIONS = {
    "hop-by-hop": (0, b"\x00\x01\x04" + bytes(4)),
    "hop-by-hop of 24 bytes": (0, b"\x02\x01\x14" + bytes(20)),
    "routing": (43, b"\x02\x02\x01" + bytes(20)),
    "destination options": (60, b"\x00\x01\x04" + bytes(4)),
    "authentication": (51, b"\x04" + bytes(22)),
    "mobility": (135, b"\x00\x05" + bytes(5)),
    "fragment that is the whole": (44, bytes(7)),
}
CHAINS = [
    ("hop-by-hop", "routing"),
    ("hop-by-hop", "destination options", "routing", "authentication", "destination options"),
    ("routing", "fragment that is the whole", "authentication"),
]


@pytest.mark.parametrize("chain", [*([name] for name in EXTENSIONS), *CHAINS])
def test_ipv6_is_cut_behind_every_extension_header_and_tcp(chain: tuple[str, ...]) -> None:
    extensions = [EXTENSIONS[name] for name in chain]
    size = sum(1 + len(rest) for _, rest in extensions)
    datagram = packets.ipv6(A6, B6, 6, TCP, extensions=extensions)
    assert kept(packets.ethernet(datagram)) == 14 + 40 + size + 20


@pytest.mark.parametrize("value", [12, 32, 64])
def test_an_authentication_header_is_kept_as_far_as_a_value_of_any_algorithm_reaches(value: int) -> None:
    header = bytes([6, (12 + value) // 4 - 2]) + bytes(10 + value)
    assert kept(packets.ethernet(packets.ipv4(A, B, 51, header + TCP))) == 14 + 20 + 12 + value + 20


@pytest.mark.parametrize("length", [18, 48, 255])
def test_payload_that_claims_to_be_a_longer_authentication_header_is_not_kept(length: int) -> None:
    header = bytes([6, length]) + (PAYLOAD * 6)[: (length + 2) * 4 - 2]
    assert kept(packets.ethernet(packets.ipv4(A, B, 51, header + TCP))) == 14 + 20


def test_ipv4_is_cut_behind_its_authentication_header_and_tcp() -> None:
    assert kept(packets.ethernet(packets.ipv4(A, B, 51, b"\x06\x04" + bytes(22) + TCP))) == 14 + 20 + 24 + 20


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (packets.ipv4(A, B, 6, PAYLOAD, fragment=0x2003), 20),
        (packets.ipv4(A, B, 6, PAYLOAD, fragment=0x0003), 20),
        (packets.ipv4(A, B, 6, TCP, fragment=0x2000), 40),
        (packets.ipv6(A6, B6, 6, PAYLOAD, extensions=[(44, b"\0\0\x18\0\0\0\7")]), 48),
        (packets.ipv6(A6, B6, 6, TCP, extensions=[(44, b"\0\0\x01\0\0\0\7")]), 68),
        # Another extension header behind the first fragment's is not followed.
        (
            packets.ipv6(A6, B6, 6, TCP, extensions=[(44, b"\0\0\x01\0\0\0\7"), (60, b"\0\1\4" + bytes(4))]),
            48,
        ),
    ],
)
def test_a_fragment_has_a_transport_header_only_if_it_is_the_first(datagram: bytes, expected: int) -> None:
    assert kept(packets.ethernet(datagram)) == 14 + expected


@pytest.mark.parametrize(
    ("protocol", "inside", "expected"),
    [
        (17, packets.udp(40000, 53, PAYLOAD), 8),
        (17, packets.udp(40000, 53, PAYLOAD, length=3), 8),
        (50, struct.pack(">II", 7, 8) + PAYLOAD, 8),
        (132, tunnels.sctp(0, 216, bytes(12) + PAYLOAD), 12 + 16),
        (132, tunnels.sctp(64, 220, bytes(16) + PAYLOAD), 12 + 20),
        (132, tunnels.sctp(10, 204, PAYLOAD), 12 + 4),  # a cookie is opaque
        (132, tunnels.sctp(0, 15, PAYLOAD), 12 + 4),
        (59, PAYLOAD, 0),
        (89, PAYLOAD, 0),
        (253, PAYLOAD, 0),
        # No TCP header is shorter than 20 bytes, or longer than its segment.
        (6, TCP[:12] + b"\x40" + TCP[13:], 0),
        (6, TCP[:12] + b"\xf0" + TCP[13:30], 0),
        (6, TCP[:19], 0),
        (17, PAYLOAD[:7], 0),
    ],
)
def test_what_ip_carries_is_cut_behind_its_header(protocol: int, inside: bytes, expected: int) -> None:
    assert kept(packets.ethernet(packets.ipv4(A, B, protocol, inside))) == 14 + 20 + expected
    assert kept(packets.ethernet(packets.ipv6(A6, B6, protocol, inside))) == 14 + 40 + expected


@pytest.mark.parametrize("inside", [OVER_IPV4, OVER_IPV6, packets.arp()[14:]])
def test_padding_of_the_link_layer_is_never_kept(inside: bytes) -> None:
    short = {0x45: 40, 0x60: 60, 0x00: 28}[inside[0]]
    whole = {0x45: packets.ipv4(A, B, 6, TCP[:20]), 0x60: packets.ipv6(A6, B6, 6, TCP[:20]), 0x00: inside}
    ethertype = {0x45: IPV4, 0x60: IPV6, 0x00: 0x0806}[inside[0]]
    assert kept(packets.ethernet(whole[inside[0]], ethertype) + PAYLOAD) == 14 + short


@pytest.mark.parametrize(
    ("protocol", "inside"),
    [
        (1, bytes(5)),
        (58, b"\x80" + bytes(3)),
        (50, bytes(4)),
        (132, bytes(9)),
        (132, tunnels.sctp(0, 200, b"")),
        (1, b"\x03" + bytes(7)),
        (47, b"\x20\x00\x08\x00" + bytes(4)),
    ],
)
def test_padding_is_not_taken_for_the_rest_of_a_header(protocol: int, inside: bytes) -> None:
    behind = packets.ipv4(A, B, 17, packets.udp(1, 2)) + PAYLOAD
    assert kept(packets.ethernet(packets.ipv4(A, B, protocol, inside)) + behind) == 34 + len(inside)
    assert kept(packets.ethernet(packets.ipv6(A6, B6, protocol, inside)) + behind) == 54 + len(inside)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (packets.ethernet(PAYLOAD, 0x8847), 14),
        (packets.ethernet(PAYLOAD, 0x0027), 14),
        (packets.ethernet(PAYLOAD, 0x88CC, vlans=[(0x8100, 2)]), 18),
        (packets.ethernet(b"\x00\x06\x08\x00\xff\xff" + bytes(2) + PAYLOAD, 0x0806), 14 + 8),
        (packets.ethernet(b"\x65" + PAYLOAD, IPV4), 14),
        (packets.ethernet(b"\x44" + PAYLOAD, IPV4), 14),
        (packets.ethernet(b"\x45" + PAYLOAD, IPV6), 14),
        (PAYLOAD[:13], 0),
    ],
)
def test_what_is_not_understood_is_cut_behind_the_last_header_that_is(frame: bytes, expected: int) -> None:
    assert kept(frame) == expected


@pytest.mark.parametrize("captured", range(14 + 20 + 32))
def test_a_packet_cut_off_in_its_headers_keeps_no_more_than_is_there(captured: int) -> None:
    segment = packets.tcp(40000, 80, PAYLOAD, options=b"\x01" * 12)
    length = kept(packets.ethernet(packets.ipv4(A, B, 6, segment)), captured=captured)
    assert length == (captured if captured >= 34 else 14 if captured >= 14 else 0)


FRAME = packets.ethernet(OVER_IPV4)
TUNNELS: dict[str, tuple[int, bytes, int]] = {
    "VXLAN of flannel": (17, tunnels.vxlan(FRAME), 8 + 8 + 14 + 40),
    "VXLAN": (17, tunnels.vxlan(FRAME, port=4789), 8 + 8 + 14 + 40),
    "VXLAN with IPv6": (17, tunnels.vxlan(packets.ethernet(OVER_IPV6)), 8 + 8 + 14 + 60),
    "VXLAN with VLAN": (17, tunnels.vxlan(packets.ethernet(OVER_IPV4, vlans=[(0x8100, 5)])), 8 + 8 + 18 + 40),
    "VXLAN with ARP": (17, tunnels.vxlan(packets.arp() + PAYLOAD), 8 + 8 + 14 + 28),
    "VXLAN with padding": (
        17,
        tunnels.vxlan(packets.ethernet(packets.ipv4(A, B, 17, packets.udp(1, 2))) + PAYLOAD),
        8 + 8 + 14 + 28,
    ),
    "VXLAN with ICMP": (
        17,
        tunnels.vxlan(packets.ethernet(packets.ipv4(A, B, 1, b"\x08" + bytes(7) + PAYLOAD))),
        8 + 8 + 14 + 28,
    ),
    "Geneve": (17, tunnels.geneve(FRAME, BRIDGED), 8 + 8 + 14 + 40),
    "Geneve with IPv4": (17, tunnels.geneve(OVER_IPV4, IPV4), 8 + 8 + 40),
    "Geneve with IPv6": (17, tunnels.geneve(OVER_IPV6, IPV6, flags=0x40), 8 + 8 + 60),
    "GRE with IPv4": (47, tunnels.gre(OVER_IPV4, IPV4), 4 + 40),
    "GRE with IPv6": (47, tunnels.gre(OVER_IPV6, IPV6), 4 + 60),
    "GRE with Ethernet": (47, tunnels.gre(FRAME, BRIDGED, flags=0x2000), 8 + 14 + 40),
    "GRE with checksum": (47, tunnels.gre(OVER_IPV4, IPV4, flags=0x8000), 8 + 40),
    "GRE with sequence": (47, tunnels.gre(OVER_IPV4, IPV4, flags=0x1000), 8 + 40),
    "GRE with all": (47, tunnels.gre(OVER_IPV4, IPV4, flags=0xB000), 16 + 40),
    "IPv4 in IP": (4, OVER_IPV4, 40),
    "IPv6 in IP": (41, OVER_IPV6, 60),
    "WireGuard's data": (17, tunnels.wireguard(4, bytes(12) + PAYLOAD[:32]), 8 + 16),
    "WireGuard's keep-alive": (17, tunnels.wireguard(4, bytes(12) + PAYLOAD[:16], source=9), 8 + 16),
    "WireGuard's initiation": (17, tunnels.wireguard(1, bytes(4) + PAYLOAD[:140]), 8 + 8),
    "WireGuard's response": (17, tunnels.wireguard(2, bytes(8) + PAYLOAD[:80], target=9), 8 + 12),
    "WireGuard's cookie": (17, tunnels.wireguard(3, bytes(4) + PAYLOAD[:56]), 8 + 8),
    "VXLAN in VXLAN": (
        17,
        tunnels.vxlan(packets.ethernet(packets.ipv4(A, B, 17, tunnels.vxlan(FRAME, port=4789)))),
        8 + 8 + 14 + 20 + 8 + 8 + 14 + 40,
    ),
    "IPv6 in Geneve in GRE": (
        47,
        tunnels.gre(packets.ipv4(A, B, 17, tunnels.geneve(OVER_IPV6, IPV6)), IPV4),
        4 + 20 + 8 + 8 + 60,
    ),
    "later fragment in VXLAN": (
        17,
        tunnels.vxlan(packets.ethernet(packets.ipv4(A, B, 17, PAYLOAD, fragment=3))),
        8 + 8 + 14 + 20,
    ),
}


@pytest.mark.parametrize("tunnel", TUNNELS)
def test_a_tunnel_is_cut_behind_the_innermost_transport_header(tunnel: str) -> None:
    protocol, inside, expected = TUNNELS[tunnel]
    assert kept(packets.ethernet(packets.ipv4(A, B, protocol, inside))) == 14 + 20 + expected
    assert kept(packets.ethernet(packets.ipv6(A6, B6, protocol, inside))) == 14 + 40 + expected


@pytest.mark.parametrize("sizes", [(4,), (8,), (32,), (64,), (8, 24, 4), (124,)])
def test_geneve_is_looked_through_behind_its_options(sizes: tuple[int, ...]) -> None:
    options = b"".join(map(tunnels.geneve_option, sizes))
    frame = packets.ethernet(packets.ipv4(A, B, 17, tunnels.geneve(FRAME, BRIDGED, options=options)))
    assert kept(frame) == 14 + 20 + 8 + 8 + len(options) + 14 + 40


@pytest.mark.parametrize("ip_words", range(5, 16))
@pytest.mark.parametrize("tcp_words", range(5, 16))
def test_inside_a_tunnel_headers_of_every_length_are_cut_exactly(ip_words: int, tcp_words: int) -> None:
    segment = packets.tcp(40000, 80, PAYLOAD, options=b"\x01" * 4 * (tcp_words - 5))
    inner = packets.ipv4(A, B, 6, segment, options=b"\x01" * 4 * (ip_words - 5))
    frame = packets.ethernet(packets.ipv4(A, B, 17, tunnels.vxlan(packets.ethernet(inner))))
    assert kept(frame) == 14 + 20 + 8 + 8 + 14 + 4 * ip_words + 4 * tcp_words


def test_the_first_fragment_of_a_tunnel_shows_the_packet_inside() -> None:
    whole = tunnels.vxlan(FRAME)
    frame = packets.ethernet(packets.ipv4(A, B, 17, whole[:120], fragment=0x2000))
    assert kept(frame) == 14 + 20 + 8 + 8 + 14 + 40


def _wrong_checksum(datagram: bytes) -> bytes:
    return datagram[:10] + bytes([datagram[10] ^ 1]) + datagram[11:]


LONGER = packets.ipv4(A, B, 6, TCP, total=len(OVER_IPV4) + 1)
LONGER6 = OVER_IPV6[:4] + struct.pack(">H", len(OVER_IPV6) - 39) + OVER_IPV6[6:]


@pytest.mark.parametrize(
    "datagram",
    [
        tunnels.vxlan(FRAME, port=4788),
        tunnels.vxlan(FRAME, flags=0),
        tunnels.vxlan(FRAME, flags=0x88000000),
        tunnels.vxlan(FRAME, flags=0x08000001),
        tunnels.vxlan(FRAME, last=1),
        tunnels.vxlan(packets.ethernet(PAYLOAD, 0x8847)),
        tunnels.vxlan(packets.ethernet(PAYLOAD, IPV4)),
        tunnels.vxlan(packets.ethernet(PAYLOAD, 0x0806)),
        tunnels.vxlan(packets.ethernet(_wrong_checksum(OVER_IPV4))),
        tunnels.vxlan(packets.ethernet(LONGER)),
        tunnels.vxlan(packets.ethernet(LONGER6)),
        tunnels.vxlan(PAYLOAD),
        tunnels.vxlan(b""),
        tunnels.vxlan(FRAME)[:4] + b"\x00\x30" + tunnels.vxlan(FRAME)[6:],  # shorter than the packet in it
        tunnels.vxlan(FRAME)[:4] + b"\xff\xff" + tunnels.vxlan(FRAME)[6:],  # longer than the one around it
        tunnels.geneve(FRAME, BRIDGED, first=0x40),
        tunnels.geneve(FRAME, BRIDGED, flags=0x80),
        tunnels.geneve(FRAME, BRIDGED, flags=0x01),
        tunnels.geneve(FRAME, 0x8847),
        tunnels.geneve(FRAME, BRIDGED, options=b"\x00\x00\x00\x01"),  # option longer than all options
        tunnels.geneve(FRAME, BRIDGED, options=b"\x00\x00\x00\x20"),
        tunnels.geneve(b"", BRIDGED, first=0x3F),
        tunnels.vxlan(packets.arp())[:4]
        + b"\x00\x1e"
        + tunnels.vxlan(packets.arp())[6:],  # ARP lies behind it
        tunnels.wireguard(4, PAYLOAD[:13]),
        tunnels.wireguard(4, PAYLOAD[:36]),
        tunnels.wireguard(4, PAYLOAD[:12]),
        tunnels.wireguard(1, PAYLOAD[:143]),
        tunnels.wireguard(5, PAYLOAD[:28]),
        packets.udp(51820, 51820, b"\x04\x01" + PAYLOAD[:30]),
    ],
)
def test_what_only_looks_like_a_tunnel_is_cut_behind_udp(datagram: bytes) -> None:
    assert kept(packets.ethernet(packets.ipv4(A, B, 17, datagram))) == 14 + 20 + 8


@pytest.mark.parametrize(
    ("protocol", "inside", "expected"),
    [
        (4, _wrong_checksum(OVER_IPV4), 0),
        (4, LONGER, 0),
        (4, OVER_IPV6, 0),
        (4, PAYLOAD, 0),
        (41, LONGER6, 0),
        (41, OVER_IPV4, 0),
        (47, tunnels.gre(_wrong_checksum(OVER_IPV4), IPV4, flags=0x2000), 8),
        (47, tunnels.gre(PAYLOAD, 0x88BE), 4),  # ERSPAN
        (47, tunnels.gre(PAYLOAD, 0x22EB, flags=0x1000), 8),
        (47, tunnels.gre(PAYLOAD, 0x880B, flags=0x3001), 0),  # PPTP's version
        (47, tunnels.gre(OVER_IPV4, IPV4, flags=0x4000, fields=1), 0),
        (47, PAYLOAD[:3], 0),
    ],
)
def test_a_broken_or_unknown_tunnel_over_ip_keeps_nothing_of_what_it_carries(
    protocol: int, inside: bytes, expected: int
) -> None:
    assert kept(packets.ethernet(packets.ipv4(A, B, protocol, inside))) == 14 + 20 + expected


def test_tunnels_are_followed_four_deep() -> None:
    datagram = OVER_IPV4
    for _ in range(4):
        datagram = packets.ipv4(A, B, 4, datagram)
    assert kept(packets.ethernet(datagram)) == 14 + 6 * 20
    assert kept(packets.ethernet(packets.ipv4(A, B, 4, datagram))) == 14 + 5 * 20


def test_headers_longer_than_the_snaplen_are_given_up() -> None:
    extension = (60, b"\x1e\x01\x04" + PAYLOAD[:4] + bytes(240))
    datagram = packets.ipv6(A6, B6, 6, TCP, extensions=[extension])
    assert kept(packets.ethernet(datagram)) == 14 + 40
    options = tunnels.geneve_option(128) + tunnels.geneve_option(124)
    datagram = packets.ipv4(A, B, 17, tunnels.geneve(FRAME, BRIDGED, options=options))
    assert kept(packets.ethernet(datagram)) == 14 + 20 + 8


def test_the_documentation_names_every_port_and_bound() -> None:
    said = (Path(__file__).parents[3] / "docs" / "payload.md").read_text()
    figures = [*OVER_UDP, *WIREGUARD_PORTS, SNAPLEN, LONGEST_USUAL, SNAPLEN - 42]
    assert [figure for figure in figures if not re.search(rf"\b{figure}\b", said)] == []
