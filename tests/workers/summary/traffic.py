"""Strategies for capture files: traffic of a few hosts that meet often, of every kind that is understood."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.workers.summary import packets
from tests.workers.summary.packets import Record

_IPV4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
_IPV6 = st.sampled_from(["2001:db8::1", "2001:db8::2"])
_PORTS = st.sampled_from([1000, 80, 81])
_SIZES = st.sampled_from([0, 0, 1, 10, 40])
_FLAGS = st.sampled_from([2, 2, 18, 16, 16, 24, 17, 20, 4, 0, 3])
_SEQUENCES = st.sampled_from([1, 2, 100, 101, 5000, 0xFFFFFFFF])
_TCP_OPTIONS = st.sampled_from([b"", b"\x01" * 4, b"\x02\x04\x05\xb4", b"\x01\x01\x08\x0a" + bytes(8)])
_IPV4_OPTIONS = st.sampled_from([b"", b"", b"\x01" * 4, b"\x94\x04\x00\x00"])
_EXTENSIONS = [
    (0, b"\x00\x01\x04" + bytes(4)),
    (60, b"\x00\x01\x04" + bytes(4)),
    (43, b"\x00\xfd\x00" + bytes(4)),
    (51, b"\x04" + bytes(22)),
    (44, b"\x00" * 7),
]
_TAGS = st.sampled_from([(), (), ((0x8100, 5),), ((0x88A8, 6), (0x8100, 7)), ((0x9100, 6), (0x8100, 7))])
_OTHERS = [(1, b"\x08" + bytes(11)), (58, b"\x80" + bytes(11)), (47, bytes(20)), (132, bytes(20))]

LINK_TYPES = (1, 113, 276, 0, 108, 101, 12)


@dataclass(frozen=True)
class Capture:
    """Records of one link type, and the file they make."""

    link_type: int
    records: tuple[Record, ...]
    file: bytes


@st.composite
def transports(draw: DrawFn) -> tuple[int, bytes]:
    """An IP protocol and what it carries."""
    kind = draw(st.sampled_from(["tcp", "tcp", "tcp", "udp", "other"]))
    if kind == "other":
        return draw(st.sampled_from(_OTHERS))
    payload = bytes(draw(_SIZES))
    if kind == "udp":
        return 17, packets.udp(draw(_PORTS), draw(_PORTS), payload)
    return 6, packets.tcp(
        draw(_PORTS),
        draw(_PORTS),
        payload,
        flags=draw(_FLAGS),
        sequence=draw(_SEQUENCES),
        acknowledged=draw(_SEQUENCES),
        options=draw(_TCP_OPTIONS),
    )


@st.composite
def datagrams(draw: DrawFn, identity: int) -> list[bytes]:
    """One IP datagram, or the fragments of one, all or some of them, in any order."""
    protocol, payload = draw(transports())
    pieces = [(0, payload, 0)]
    if draw(st.integers(0, 3)) == 0:
        cut = 8 * draw(st.integers(1, max(1, (len(payload) - 1) // 8)))
        pieces = [(0, payload[:cut], 1), (cut, payload[cut:], 0)] if payload[cut:] else pieces
    if draw(st.booleans()):
        source, target, options = draw(_IPV4), draw(_IPV4), draw(_IPV4_OPTIONS)
        whole = [
            packets.ipv4(
                source,
                target,
                protocol,
                part,
                options=options,
                identity=identity,
                fragment=offset // 8 | more << 13,
            )
            for offset, part, more in pieces
        ]
    else:
        source, target = draw(_IPV6), draw(_IPV6)
        extensions = draw(st.lists(st.sampled_from(_EXTENSIONS), max_size=2))
        if len(pieces) > 1:
            extensions = extensions[:1] if extensions and extensions[0][0] == 0 else []
        whole = [
            packets.ipv6(
                source,
                target,
                protocol,
                part,
                extensions=[*extensions, *_fragment_header(offset | more, identity, len(pieces))],
            )
            for offset, part, more in pieces
        ]
    return draw(st.permutations(whole))[: draw(st.sampled_from([1, 2, 2, 2]))]


def _fragment_header(field: int, identity: int, pieces: int) -> list[tuple[int, bytes]]:
    return [(44, b"\x00" + field.to_bytes(2, "big") + identity.to_bytes(4, "big"))] if pieces > 1 else []


@st.composite
def captures(draw: DrawFn, *, most: int = 40, cut: bool = False, mutate: bool = False) -> Capture:
    """A capture file; `cut`: some packets by a snaplen; `mutate`: bytes of some packets changed."""
    link_type = draw(st.sampled_from(LINK_TYPES))
    records = []
    time = 1_700_000_000_000_000_000
    for identity in range(draw(st.integers(1, most))):
        for datagram in draw(datagrams(identity)):
            frame = draw(frames(link_type, datagram))
            if mutate and draw(st.integers(0, 5)) == 0:
                at = draw(st.integers(0, len(frame) - 1))
                frame = frame[:at] + draw(st.binary(min_size=1, max_size=2)) + frame[at + 1 :]
            time += draw(st.integers(-1_000_000, 10_000_000))
            snaplen = draw(st.integers(14, 100)) if cut and draw(st.integers(0, 5)) == 0 else 262_144
            records.append(Record(frame, time, snaplen))
    file = packets.pcap(
        records,
        link_type=link_type,
        byte_order=draw(st.sampled_from("<>")),
        nanoseconds=draw(st.booleans()),
    )
    return Capture(link_type, tuple(records), file)


@st.composite
def frames(draw: DrawFn, link_type: int, datagram: bytes) -> bytes:
    """The datagram behind a header of that link type."""
    is_ipv6 = datagram[0] >> 4 == 6
    ethertype = 0x86DD if is_ipv6 else 0x0800
    if link_type == 1:
        return packets.ethernet(datagram, vlans=draw(_TAGS)) + bytes(draw(st.sampled_from([0, 0, 6, 20])))
    if link_type == 113:
        return packets.linux_sll(datagram, ethertype)
    if link_type == 276:
        return packets.linux_sll2(datagram, ethertype)
    if link_type in (0, 108):
        family = draw(st.sampled_from([24, 28, 30])) if is_ipv6 else 2
        return packets.null(datagram, family, ">" if link_type == 108 else draw(st.sampled_from("<>")))
    return datagram
