import io
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.summary import oracle, packets, traffic
from tests.workers.summary.packets import ACK, FIN, PSH, RST, SYN, Record
from workers.summary.files.pcapfile import PcapFile
from workers.summary.flow import Flow
from workers.summary.flows.counting import Counting
from workers.summary.summary import Totals

CLIENT, SERVER = "10.244.2.1", "10.244.2.2"

# One run of tshark takes a third of a second: few, but big, examples.
against_tshark = settings(
    max_examples=examples(4),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,  # one file, written anew for each example
    ],
)


def flows_of(data: bytes) -> tuple[Totals, tuple[Flow, ...]]:
    counting = Counting()
    counting.file(PcapFile(io.BytesIO(data)))
    counted = counting.result()
    return counted.totals, counted.flows


def written(folder: Path, data: bytes) -> Path:
    path = folder / "capture.pcap"
    path.write_bytes(data)
    return path


def segment(
    payload: bytes = b"",
    *,
    back: bool = False,
    flags: int = ACK,
    sequence: int = 1,
    acknowledged: int = 1,
    ports: tuple[int, int] = (40000, 80),
) -> bytes:
    """Between one client and one server, or back."""
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    port, other = ports[::-1] if back else ports
    return packets.ethernet(
        packets.ipv4(
            source,
            target,
            6,
            packets.tcp(port, other, payload, flags=flags, sequence=sequence, acknowledged=acknowledged),
        )
    )


def spaced(*frames: bytes, milliseconds: int = 1) -> bytes:
    """A file in which frames follow each other in equal steps."""
    start = 1_700_000_000_000_000_000
    return packets.pcap(
        Record(frame, start + number * milliseconds * 1_000_000) for number, frame in enumerate(frames)
    )


def test_recorded_captures_have_tsharks_conversations(recorded: Path) -> None:
    _, flows = flows_of(recorded.read_bytes())
    assert flows
    assert oracle.counted(flows) == oracle.conversations(recorded)


def test_bytes_of_recorded_flows_are_the_sums_of_frame_len(recorded: Path) -> None:
    totals, flows = flows_of(recorded.read_bytes())
    sums: dict[str, int] = defaultdict(int)
    for stream, length in oracle.frames(recorded):
        sums[stream] += length
    assert {f"TCP {number}": flow.bytes for number, flow in enumerate(flows)} == sums
    assert totals.bytes == sum(sums.values())


def test_handshakes_of_recorded_flows_are_tsharks_initial_rtt(recorded: Path) -> None:
    _, flows = flows_of(recorded.read_bytes())
    fields = ["-e", "tcp.stream", "-e", "tcp.analysis.initial_rtt"]
    command = ["tshark", "-n", "-r", str(recorded), "-Y", "tcp.analysis.initial_rtt", "-T", "fields", *fields]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = {int(stream): float(seconds) for stream, seconds in (line.split("\t") for line in lines)}
    assert {number: flow.handshake for number, flow in enumerate(flows)} == expected


@against_tshark
@given(capture=traffic.captures())
def test_any_traffic_has_tsharks_conversations(tmp_path: Path, capture: traffic.Capture) -> None:
    path = written(tmp_path, capture.file)
    assert oracle.counted(flows_of(capture.file)[1]) == oracle.conversations(path)


@against_tshark
@given(capture=traffic.captures(cut=True), data=st.data())
def test_a_cut_file_of_cut_packets_has_tsharks_conversations(
    tmp_path: Path, capture: traffic.Capture, data: st.DataObject
) -> None:
    cut = capture.file[: data.draw(st.integers(24, len(capture.file)))]
    path = written(tmp_path, cut)
    assert oracle.counted(flows_of(cut)[1]) == oracle.conversations(path)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_packet_counts_from_the_snaplen_on_from_which_it_counts_in_tshark(
    tmp_path: Path, protocol: str
) -> None:
    options = b"\x01\x01\x08\x0a" + bytes(8)
    frames = []
    for port in range(1000, 1075):  # each its own flow, cut one byte later than the one before
        inner = packets.tcp(port, 80, b"hello world", options=options)
        inner = inner if protocol == "tcp" else packets.udp(port, 80, b"hello world")
        frames.append(packets.ethernet(packets.ipv4(CLIENT, SERVER, 6 if protocol == "tcp" else 17, inner)))
    data = packets.pcap(Record(frame, snaplen=14 + number) for number, frame in enumerate(frames))
    flows = oracle.counted(flows_of(data)[1])
    assert flows == oracle.conversations(written(tmp_path, data))
    assert 0 < len(flows) < 75


@pytest.mark.parametrize("extensions", [[], [(0, b"\0\xc2\4" + (70_028).to_bytes(4, "big"))]])
def test_a_segment_of_more_than_64_kib_over_ipv6_is_in_its_flow(extensions: list[tuple[int, bytes]]) -> None:
    datagram = packets.ipv6("2001:db8::1", "2001:db8::2", 6, packets.tcp(4000, 80), extensions=extensions)
    frame = packets.ethernet(datagram[:4] + bytes(2) + datagram[6:] + bytes(70_000))
    (flow,) = flows_of(packets.pcap([Record(frame)]))[1]
    assert (flow.packets_ab, flow.bytes_ab, flow.payload_ab) == (1, len(frame), 70_000)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traffic.captures(most=20, cut=True, mutate=True))
def test_every_packet_of_any_traffic_is_in_the_totals_once(capture: traffic.Capture) -> None:
    totals, _ = flows_of(capture.file)
    assert totals.packets == len(capture.records)
    assert totals.bytes == sum(len(record.frame) for record in capture.records)
    kinds = (totals.tcp, totals.udp, totals.icmp, totals.icmpv6, totals.arp, totals.fragments, totals.other)
    assert sum(kinds) == totals.packets


@settings(max_examples=examples(100), deadline=None)
@given(st.sampled_from(traffic.LINK_TYPES), st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_at_all_break_the_counting(link_type: int, frames: list[bytes]) -> None:
    totals, _ = flows_of(packets.pcap([Record(frame) for frame in frames], link_type=link_type))
    assert totals.packets == len(frames)


def test_a_syn_with_another_sequence_number_begins_a_new_flow_on_the_same_ports(tmp_path: Path) -> None:
    first = [
        segment(flags=SYN, sequence=100),
        segment(back=True, flags=SYN | ACK, sequence=900, acknowledged=101),
        segment(sequence=101, acknowledged=901),
        segment(flags=RST, sequence=101),
    ]
    again = [
        segment(flags=SYN, sequence=7000),
        segment(flags=SYN, sequence=7000),  # a repetition begins nothing
        segment(back=True, flags=RST | ACK, sequence=0, acknowledged=7001),
    ]
    data = spaced(*first, *again)
    _, flows = flows_of(data)
    assert [(flow.packets_ab, flow.packets_ba, flow.resets_ab, flow.resets_ba) for flow in flows] == [
        (3, 1, 1, 0),
        (2, 1, 0, 1),
    ]
    assert oracle.counted(flows) == oracle.conversations(written(tmp_path, data))
    assert flows[1].retransmitted_ab == 1


def test_the_side_that_sent_the_syn_opened_the_flow_even_from_the_lower_port() -> None:
    opened = segment(flags=SYN, ports=(79, 5000))
    (flow,) = flows_of(spaced(opened))[1]
    assert (flow.opened_by, flow.client, str(flow.a)) == ("a", "a", f"{CLIENT}:79")
    answered = segment(back=True, flags=SYN | ACK)
    (flow,) = flows_of(spaced(answered))[1]
    assert (flow.opened_by, flow.client, str(flow.b)) == ("b", "b", f"{CLIENT}:40000")


def test_in_a_flow_without_a_handshake_the_higher_port_is_the_client() -> None:
    (flow,) = flows_of(spaced(segment(b"x", back=True)))[1]
    assert (flow.opened_by, flow.client, str(flow.b)) == (None, "b", f"{CLIENT}:40000")


def test_a_handshake_lasts_from_the_first_syn_to_the_clients_ack() -> None:
    data = spaced(
        segment(flags=SYN, sequence=100),
        segment(flags=SYN, sequence=100),
        segment(back=True, flags=SYN | ACK, sequence=900, acknowledged=101),
        segment(sequence=101, acknowledged=901),
        segment(b"x", sequence=101, acknowledged=901),
    )
    (flow,) = flows_of(data)[1]
    assert (flow.handshake, flow.duration, flow.retransmitted_ab) == (0.003, 0.004, 1)


def test_data_that_was_sent_before_is_retransmitted_and_a_keep_alive_is_not() -> None:
    data = spaced(
        segment(bytes(100), flags=PSH | ACK, sequence=0xFFFFFFF0),  # the numbers wrap around in it
        segment(bytes(50), sequence=84),
        segment(bytes(100), flags=PSH | ACK, sequence=0xFFFFFFF0),
        segment(bytes(51), sequence=84),  # one byte of it is new
        segment(b"\0", sequence=134),
        segment(flags=FIN | ACK, sequence=135),
        segment(flags=FIN | ACK, sequence=135),
    )
    (flow,) = flows_of(data)[1]
    assert (flow.retransmitted_ab, flow.out_of_order_ab, flow.fins_ab) == (2, 0, 2)


def test_a_fragmented_datagram_counts_once_with_the_frame_that_completes_it(tmp_path: Path) -> None:
    whole = packets.udp(5000, 53, bytes(40))
    pieces = [(whole[:24], 0x2000), (whole[24:32], 0x2003), (whole[32:], 4)]
    frames = [
        packets.ethernet(packets.ipv4(CLIENT, SERVER, 17, piece, fragment=field)) for piece, field in pieces
    ]
    data = spaced(frames[2], frames[0], frames[1])
    totals, (flow,) = flows_of(data)
    assert (flow.packets_ab, flow.bytes_ab) == (1, len(frames[1]))
    assert (totals.udp, totals.fragments, totals.packets) == (1, 2, 3)
    assert oracle.counted((flow,)) == oracle.conversations(written(tmp_path, data))


def test_packets_of_no_flow_are_counted_by_kind() -> None:
    icmp = packets.ethernet(packets.ipv4(CLIENT, SERVER, 1, b"\x03\x01" + bytes(6)))
    icmpv6 = packets.ethernet(packets.ipv6("fe80::1", "fe80::2", 58, b"\x87" + bytes(23)))
    gre = packets.ethernet(packets.ipv4(CLIENT, SERVER, 47, bytes(20)))
    totals, flows = flows_of(spaced(packets.arp(), icmp, icmp, icmpv6, gre, b"short"))
    assert flows == ()
    assert (totals.arp, totals.icmp, totals.icmpv6, totals.other) == (1, 2, 1, 2)
    assert totals.duration == 0.005


def test_packets_of_an_unknown_link_type_are_counted_only() -> None:
    totals, flows = flows_of(packets.pcap([Record(segment())], link_type=127))
    assert (totals.packets, totals.other, flows) == (1, 1, ())


def test_an_empty_file_has_no_flows_and_no_times() -> None:
    assert flows_of(packets.pcap([])) == (Totals(), ())
