import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.cut import tunnels
from tests.workers.summary import oracle, packets, traffic
from tests.workers.summary.packets import Record
from workers.cut.headers import LONGEST_USUAL, SNAPLEN, Cut, cut, headers_length
from workers.summary.files.packets import PcapError
from workers.summary.files.pcapfile import PcapFile
from workers.summary.flows.counting import Counting

SECRET = b"\xc3SECRET-PAYLOAD\x9d"
SOURCE, TARGET = "10.244.2.1", "10.244.2.2"
SOURCE6, TARGET6 = "2001:db8::1", "2001:db8::2"

OVER_IPV4 = packets.ipv4(SOURCE, TARGET, 6, packets.tcp(40000, 80, SECRET))

TRANSPORTS = st.one_of(
    st.integers(0, 10).map(lambda words: (6, packets.tcp(40000, 80, SECRET, options=b"\x01" * 4 * words))),
    st.just((17, packets.udp(40000, 53, SECRET))),
    st.just((1, b"\x03\x01" + bytes(6) + SECRET)),
    st.just((58, b"\x01\x04" + bytes(6) + SECRET)),
    # What is not understood, and what only looks like a tunnel: all of it is payload.
    st.sampled_from([4, 41, 47, 59, 253]).map(lambda protocol: (protocol, SECRET)),
    st.just((17, packets.udp(40000, 4789, bytes(8) + packets.ethernet(OVER_IPV4)))),
    st.just((17, tunnels.vxlan(packets.ethernet(OVER_IPV4)))),
    st.just((6, packets.tcp(40000, 80)[:12] + b"\x10" + packets.tcp(40000, 80)[13:] + SECRET)),
)
TAGS = st.lists(st.sampled_from([(0x8100, 5), (0x88A8, 6), (0x9100, 7)]), max_size=2)
LINKS: dict[int, Callable[[bytes], bytes]] = {
    1: packets.ethernet,
    113: packets.linux_sll,
    276: packets.linux_sll2,
    0: packets.null,
    101: lambda datagram: datagram,
    127: lambda datagram: datagram,
}


def cut_bytes(data: bytes) -> tuple[Cut, list[tuple[bytes, int, int]]]:
    target = io.BytesIO()
    report = cut(io.BytesIO(data), target)
    kept = PcapFile(io.BytesIO(target.getvalue()))
    packets_kept = [
        (buffer[at : at + size], length, time) for buffer, at, size, length, time in kept.packets()
    ]
    assert kept.trouble is None
    return report, packets_kept


@given(TRANSPORTS, TAGS, st.booleans(), st.binary(max_size=30), st.sampled_from(["<", ">"]))
def test_planted_payload_never_gets_through(
    transport: tuple[int, bytes], tags: list[tuple[int, int]], older: bool, padding: bytes, byte_order: str
) -> None:
    protocol, payload = transport
    datagram = (
        packets.ipv4(SOURCE, TARGET, protocol, payload, options=b"\x01" * 4)
        if older
        else packets.ipv6(SOURCE6, TARGET6, protocol, payload, extensions=[(0, b"\x00\x01\x04" + bytes(4))])
    )
    # Padding behind the datagram is none of its headers, either.
    frame = packets.ethernet(datagram, vlans=tags) + SECRET + padding
    report, [(kept, length, _)] = cut_bytes(packets.pcap([Record(frame)], byte_order=byte_order))
    assert SECRET not in kept
    assert SECRET[:4] not in kept
    assert frame.startswith(kept)
    assert length == len(frame)
    assert report == Cut(1, len(frame), len(kept), None)


@pytest.mark.parametrize("link_type", LINKS)
@given(transport=TRANSPORTS)
def test_planted_payload_never_gets_through_behind_any_link_type(
    link_type: int, transport: tuple[int, bytes]
) -> None:
    frame = LINKS[link_type](packets.ipv4(SOURCE, TARGET, *transport))
    _, [(kept, _, _)] = cut_bytes(packets.pcap([Record(frame)], link_type=link_type))
    assert SECRET[:4] not in kept


@settings(max_examples=examples(20), deadline=None)
@given(traffic.captures(most=15, cut=True, mutate=True))
def test_headers_keep_every_flow(capture: traffic.Capture) -> None:
    report, kept = cut_bytes(capture.file)
    assert report.packets == len(kept) == len(capture.records)
    assert [length for _, length, _ in kept] == [len(record.frame) for record in capture.records]
    again = io.BytesIO()
    cut(io.BytesIO(capture.file), again)
    twice = io.BytesIO()
    cut(io.BytesIO(again.getvalue()), twice)
    assert twice.getvalue() == again.getvalue()


def test_recorded_captures_keep_their_flows_in_tshark_and_lose_their_payload(
    recorded: Path, tmp_path: Path
) -> None:
    target = tmp_path / "headers.pcap"
    with recorded.open("rb") as source, target.open("wb") as out:
        report = cut(source, out)
    assert oracle.conversations(target) == oracle.conversations(recorded)
    assert oracle.frames(target) == oracle.frames(recorded)
    assert b"HTTP/1" in recorded.read_bytes()
    assert b"HTTP/1" not in target.read_bytes()
    assert target.stat().st_size == 24 + 16 * report.packets + report.bytes_out
    file = PcapFile(io.BytesIO(target.read_bytes()))
    counting = Counting()
    counting.file(file)
    assert oracle.counted(counting.result().flows) == oracle.conversations(recorded)


def test_the_snaplen_holds_the_longest_headers_of_an_overlay() -> None:
    segment = packets.tcp(40000, 80, bytes(1000), options=b"\x01" * 40)
    inner = packets.ethernet(packets.ipv6(SOURCE6, TARGET6, 6, segment))
    geneve = tunnels.geneve(inner, tunnels.BRIDGED, options=tunnels.geneve_option(32))
    extension = (60, b"\x02\x01\x14" + bytes(20))
    outer = packets.ipv6(SOURCE6, TARGET6, 17, geneve, extensions=[extension])
    frame = packets.ethernet(outer, vlans=[(0x88A8, 1), (0x8100, 2)])
    assert headers_length(1, frame, 0, len(frame), len(frame)) == LONGEST_USUAL <= SNAPLEN


def test_a_file_that_ends_early_is_cut_as_far_as_it_goes() -> None:
    frame = packets.ethernet(packets.ipv4(SOURCE, TARGET, 17, packets.udp(1, 2, SECRET)))
    whole = packets.pcap([Record(frame), Record(frame)])
    report, kept = cut_bytes(whole[:-1])
    assert (report.packets, len(kept)) == (1, 1)
    assert report.trouble == "The file ends in the middle of a packet: that one is left out."


def test_what_is_no_pcap_file_is_refused() -> None:
    with pytest.raises(PcapError):
        cut(io.BytesIO(SECRET * 10), io.BytesIO())
