"""Flows of packets of every kind, and what tshark says of the same files."""

import io
from pathlib import Path

import pytest

from tests.workers.summary import kinds, oracle, packets
from workers.summary.files.capturefile import open_capture
from workers.summary.flows.counted import Counted
from workers.summary.flows.counting import Counting


def counted(data: bytes) -> Counted:
    counting = Counting()
    counting.file(open_capture(io.BytesIO(data)))
    return counting.result()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "capture"
    path.write_bytes(data)
    return path


def test_packets_of_every_kind_count_as_in_tshark(tmp_path: Path) -> None:
    data = kinds.mixed()
    told = counted(data)
    assert told.unknown == ()
    assert oracle.counted_exactly(told.flows) == oracle.exactly(written(tmp_path, data))
    assert len(told.flows) > 100


FORMATS = ("nanoseconds", "big-endian", "cut packets", "cut file", "gzip")


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_every_format_count_as_in_tshark(tmp_path: Path, name: str) -> None:
    data = kinds.pcaps()[name]
    flows = counted(data).flows
    assert flows
    assert oracle.counted_exactly(flows) == oracle.exactly(written(tmp_path, data))


@pytest.mark.parametrize("name", kinds.TUNNELS)
def test_what_is_in_a_tunnel_is_marked(name: str) -> None:
    flows = counted(kinds.pcaps()[name]).flows
    inside = [flow for flow in flows if flow.tunnel is not None]
    kind = {"IP in IP": "ipip"}.get(name, name.split(maxsplit=1)[0].lower())
    assert {flow.tunnel.kind for flow in inside if flow.tunnel} == {kind}
    assert all(flow.a.address.startswith(("10.", "2001:")) for flow in inside)
    assert all(flow.a.address.startswith("172.16.") for flow in flows if flow.tunnel is None)
    assert len(inside) == (2 if name == "IP in IP" else 3)


@pytest.mark.parametrize(("deep", "unknown"), [(8, ()), (9, ("tunnels in more than 8 tunnels",))])
def test_what_is_in_more_than_eight_tunnels_is_left_to_tshark(deep: int, unknown: tuple[str, ...]) -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"hello"))
    for number in range(deep):
        datagram = packets.ipv4(f"172.16.{number}.1", f"172.16.{number}.2", 47, kinds.gre(datagram))
    told = counted(packets.pcap([packets.Record(packets.ethernet(datagram))]))
    assert told.unknown == unknown
    assert len(told.flows) == (0 if unknown else 1)


def test_a_tunnels_number_and_ends_are_told() -> None:
    inner = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"hello"))
    records = [
        packets.Record(packets.ethernet(packets.ipv4("172.16.0.1", "172.16.0.2", 17, tunnel)))
        for tunnel in (kinds.vxlan(inner, 77), kinds.geneve(inner, 78))
    ]
    told = [flow.tunnel for record in records for flow in counted(packets.pcap([record])).flows]
    ends = ("172.16.0.1", "172.16.0.2")
    assert [each for each in told if each] == [("vxlan", 77, *ends), ("geneve", 78, *ends)]


def test_linuxs_own_port_of_vxlan_counts_as_in_tshark_that_is_told_of_it(tmp_path: Path) -> None:
    inner = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"hello"))
    outer = packets.ipv4("172.16.0.1", "172.16.0.2", 17, kinds.vxlan(inner, port=8472))
    data = packets.pcap([packets.Record(packets.ethernet(outer))])
    flows = counted(data).flows
    path = written(tmp_path, data)
    assert len(flows) == 2
    assert oracle.counted_exactly(flows) == oracle.exactly(path, "-d", "udp.port==8472,vxlan")


def test_an_error_of_icmp_leads_to_the_flow_that_it_quotes() -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"hello"))
    other = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4001, 5000, b"hello"))
    errors = [
        packets.ipv4("10.0.0.2", "10.0.0.1", 1, bytes((3, 3, 0, 0)) + bytes(4) + quoted[:28])
        for quoted in (datagram, other)
    ]
    frames = [packets.ethernet(each) for each in (datagram, *errors)]
    told = counted(packets.pcap(packets.Record(frame) for frame in frames))
    assert len(told.flows) == 1
    assert [(event.kind, event.flow, event.frame, event.text) for event in told.events] == [
        ("icmp-error", 0, 2, "port unreachable"),
        ("icmp-error", None, 3, "port unreachable"),
    ]
