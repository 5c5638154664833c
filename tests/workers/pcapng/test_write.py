"""pcapng as podcap writes it, read by capinfos and tshark."""

import io
import struct
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.pcapng import blocks as made_blocks
from workers.pcapng.about import About
from workers.pcapng.blocks import _text, name_resolution
from workers.pcapng.file import PcapngError, merged_file
from workers.pcapng.merge import merge
from workers.summary.files.packets import PcapError

RECORDED = sorted((Path(__file__).parents[2] / "evidence").glob("nodeport-*/*.pcap"))[:1]
ABOUT = About(
    comment="podcap cap-7f3k9q: traefik/cheddar-845749dbd6-zcdjm, port 80, headers only",
    application="podcap 0.1.0",
    interface="veth09b7438a",
    description="traefik/cheddar-845749dbd6-zcdjm on k8s-node02",
    filter="port 80",
    hardware="amd64",
    system="Linux 6.18.5, Debian GNU/Linux 12 (bookworm)",
    hosts={"10.0.0.1": "cheddar-845749dbd6-zcdjm.traefik.pod", "2001:db8::1": "web.shop.svc"},
    received=12,
    dropped=3,
)
FOUR = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(1, 53, b"x")))
SIX = packets.ethernet(packets.ipv6("2001:db8::1", "2001:db8::2", 17, packets.udp(1, 53, b"xyz")))


def written(pcap: bytes, about: About = ABOUT) -> bytes:
    target = io.BytesIO()
    merge([io.BytesIO(pcap)], target, about, [about])
    return target.getvalue()


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


def fields(path: Path, *names: str, options: tuple[str, ...] = ("-n",)) -> list[list[str]]:
    asked = [part for name in names for part in ("-e", name)]
    lines = tool("tshark", *options, "-r", str(path), "-T", "fields", *asked).splitlines()
    return [line.split("\t") for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.pcapng"
    path.write_bytes(written(packets.pcap([Record(FOUR), Record(SIX)])))
    return path


def test_capinfos_reads_what_the_file_says_of_itself(file: Path) -> None:
    said = tool("capinfos", "-M", str(file))
    for part in (
        "File type:           pcapng",
        ABOUT.comment,
        "Capture application: podcap 0.1.0",
        "Capture hardware:    amd64",
        "Capture oper-sys:    Linux 6.18.5, Debian GNU/Linux 12 (bookworm)",
        "Name = veth09b7438a",
        "Description = traefik/cheddar-845749dbd6-zcdjm on k8s-node02",
        "Filter string = port 80",
        "Time precision = microseconds (6)",
        "Number of stat entries = 1",
        "Number of resolved IPv4 addresses in file: 1",
        "Number of resolved IPv6 addresses in file: 1",
    ):
        assert part in said


def test_wireshark_shows_the_names_in_the_place_of_addresses(file: Path) -> None:
    asked = ("ip.host", "ipv6.host", "frame.interface_name", "frame.interface_description")
    four, six = fields(file, *asked, options=("-N", "n"))
    assert four[0] == "cheddar-845749dbd6-zcdjm.traefik.pod,10.0.0.2"
    assert six[1] == "web.shop.svc,2001:db8::2"
    assert four[2:] == [ABOUT.interface, ABOUT.description]


def test_received_and_dropped_are_in_the_statistics(file: Path) -> None:
    data = file.read_bytes()
    at = data.rindex(struct.pack("<I", 5), 0, len(data) - 12)
    options = data[at + 20 :]
    found = {struct.unpack_from("<HHQ", options, start)[::2] for start in range(0, 48, 12)}
    assert found == {(4, 12), (5, 3), (6, 12), (7, 3)}


FIELDS = ("frame.time_epoch", "frame.cap_len", "frame.len", "frame.protocols", "frame.encap_type")
TIMES = st.integers(0, 2**32 - 1), st.integers(0, 999_999_999)


MADE = st.lists(st.tuples(st.binary(max_size=100), *TIMES, st.integers(0, 100)), max_size=20)


@given(
    MADE,
    st.sampled_from("<>"),
    st.booleans(),
    st.sampled_from([0, 1, 101, 113, 276]),
)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tshark_reads_the_same_packets_as_in_the_pcap(
    tmp_path: Path, made: list[tuple[bytes, int, int, int]], order: str, nanoseconds: bool, link_type: int
) -> None:
    records = [Record(frame, at * 1_000_000_000 + rest, snaplen) for frame, at, rest, snaplen in made]
    pcap = packets.pcap(records, link_type=link_type, byte_order=order, nanoseconds=nanoseconds)
    plain, rich = tmp_path / "x.pcap", tmp_path / "x.pcapng"
    plain.write_bytes(pcap)
    rich.write_bytes(written(pcap))
    assert fields(rich, *FIELDS) == fields(plain, *FIELDS)


@given(MADE, st.sampled_from("<>"), st.booleans())
def test_every_packet_keeps_its_bytes_its_length_and_its_time(
    made: list[tuple[bytes, int, int, int]], order: str, nanoseconds: bool
) -> None:
    records = [Record(frame, at * 1_000_000_000 + rest, snaplen) for frame, at, rest, snaplen in made]
    data = written(packets.pcap(records, byte_order=order, nanoseconds=nanoseconds))
    unit, found, at = 1 if nanoseconds else 1000, [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            high, low, captured, whole = struct.unpack_from("<IIII", data, at + 12)
            found.append((high << 32 | low, data[at + 28 : at + 28 + captured], whole))
        at += length
    assert found == [(each.time // unit, each.frame[: each.snaplen], len(each.frame)) for each in records]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_captures_are_the_same_in_pcapng(path: Path, tmp_path: Path) -> None:
    rich = tmp_path / "x.pcapng"
    merged_file([path], rich, ABOUT, [ABOUT])
    assert fields(rich, *FIELDS) == fields(path, *FIELDS)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_whatever_the_source_holds_every_block_is_whole(noise: bytes, at: int) -> None:
    pcap = packets.pcap([Record(FOUR), Record(SIX, snaplen=33), Record(FOUR)])
    try:
        data = written(pcap[:at] + noise)
    except PcapError:
        return
    assert blocks(data)[:2] == [0x0A0D0D0A, 1]


def blocks(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        found.append(kind)
        at += length
    return found


_HOSTILE: Any = st.text(max_size=500) | st.text(st.characters(max_codepoint=0x9F), max_size=5000)


@given(_HOSTILE, _HOSTILE, _HOSTILE)
def test_no_text_can_act_on_whoever_reads_it_or_break_a_block(comment: str, name: str, host: str) -> None:
    about = About(comment, "podcap", interface=name, description=name, filter=name, hosts={"10.0.0.1": host})
    data = written(packets.pcap([]), about)
    assert blocks(data)[0] == 0x0A0D0D0A
    assert not any(unicodedata.category(each) in ("Cc", "Cf") for each in _text(comment + name).decode())
    at = data.find(b"\x0a\x00\x00\x01")
    if at >= 0 and host:
        record = data[at + 4 :].split(b"\0")[0].decode("ascii")
        assert len(record) <= 253
        assert not set(record) & set(" <>&`\"'/\\|")


def test_hostile_names_are_inert_in_tshark(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    about = About(
        "\x1b[2J<!channel>", "podcap", hosts={"10.0.0.1": "\x1b]0;owned\x07<!channel>", "no": "address"}
    )
    path.write_bytes(written(packets.pcap([Record(FOUR)]), about))
    assert fields(path, "ip.src_host", options=("-N", "n")) == [["--0-owned---channel-"]]
    assert "\x1b" not in tool("capinfos", "-M", str(path))


def test_many_names_stay_below_what_wireshark_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {f"10.0.{n >> 8}.{n & 255}": "x" * 300 for n in range(500)}
    assert made_blocks._NAMES_BYTES < 16 << 20
    monkeypatch.setattr(made_blocks, "_NAMES_BYTES", 10_000)
    assert 10_000 < len(name_resolution(hosts)) < 11_000
    assert name_resolution({}) == b""


def test_a_link_type_without_a_number_in_pcapng_is_refused() -> None:
    with pytest.raises(PcapError, match="Link type 70000"):
        written(packets.pcap([], link_type=70_000))


def test_of_what_is_no_pcap_nothing_is_left(tmp_path: Path) -> None:
    source, target = tmp_path / "x", tmp_path / "y"
    source.write_bytes(b"hello")
    with pytest.raises(PcapngError, match="is not a pcap file"):
        merged_file([source], target, ABOUT, [ABOUT])
    assert list(tmp_path.iterdir()) == [source]
