"""Several taps' files as one, read by tshark and capinfos, and back."""

import io
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.pcapng.about import About
from workers.pcapng.file import PcapngError, merged_file
from workers.pcapng.merge import Merged, merge
from workers.pcapng.own_file import OwnFile
from workers.pcapng.read_back import ReadBackError, read_back_each
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import PcapError

RECORDED = sorted((Path(__file__).parents[2] / "evidence" / "nodeport-Cluster").glob("*.pcap"))
NOW = 1_700_000_000_000_000_000
WHOLE = About("podcap cap-7f3k9q: traefik/deploy/cheddar", "podcap 0.1.0", hosts={"10.0.0.1": "cheddar.pod"})
TIMES = st.integers(NOW, NOW + 5_000_000)
FILES = st.lists(
    st.tuples(st.lists(st.tuples(st.binary(max_size=60), TIMES), max_size=10), st.booleans()),
    min_size=1,
    max_size=4,
)


def tap(
    number: int, began: int | None = None, received: int | None = None, dropped: int | None = None
) -> About:
    return About(
        "",
        "",
        f"veth{number}",
        f"traefik/cheddar-{number} on k8s-node0{number}",
        f"port {80 + number}",
        received=received,
        dropped=dropped,
        began=began,
    )


def merged(files: list[bytes], taps: list[About] | None = None) -> tuple[Merged, bytes]:
    target = io.BytesIO()
    taps = taps or [tap(number) for number, _ in enumerate(files)]
    return merge([io.BytesIO(file) for file in files], target, WHOLE, taps), target.getvalue()


def tool(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()


@given(FILES)
def test_every_interface_comes_back_byte_for_byte(
    made: list[tuple[list[tuple[bytes, int]], bool]],
) -> None:
    files = [
        packets.pcap([Record(frame, time) for frame, time in records], nanoseconds=nanoseconds)
        for records, nanoseconds in made
    ]
    result, data = merged(files)
    targets = [io.BytesIO() for _ in files]
    assert read_back_each(io.BytesIO(data), targets) == list(result.packets)
    assert [target.getvalue() for target in targets] == files


@given(FILES)
def test_packets_of_all_are_in_the_order_of_time_and_those_of_one_keep_theirs(
    made: list[tuple[list[tuple[bytes, int]], bool]],
) -> None:
    ordered = [sorted(records, key=lambda record: record[1]) for records, _ in made]
    _, data = merged([packets.pcap([Record(*each) for each in one], nanoseconds=True) for one in ordered])
    found = [(time, number) for number, *_, time in OwnFile(io.BytesIO(data)).packets()]
    assert found == sorted(found)


@given(FILES)
def test_other_readers_of_pcapng_see_the_same_packets(
    made: list[tuple[list[tuple[bytes, int]], bool]],
) -> None:
    _, data = merged([packets.pcap([Record(*each) for each in one]) for one, _ in made])
    own = [(d[at : at + size], time) for _, d, at, size, _, time in OwnFile(io.BytesIO(data)).packets()]
    other = [(d[at : at + size], time) for d, at, size, _, time in open_capture(io.BytesIO(data)).packets()]
    assert own == other


def test_a_packet_that_comes_late_in_its_own_file_stays_behind_the_one_before_it() -> None:
    late = packets.pcap([Record(b"a" * 20, NOW + 9000), Record(b"b" * 20, NOW)])
    _, data = merged([late, packets.pcap([Record(b"c" * 20, NOW + 5000)])])
    found = [d[at : at + 1] for _, d, at, *_ in OwnFile(io.BytesIO(data)).packets()]
    assert found == [b"c", b"a", b"b"]


def test_packets_from_before_a_tap_began_are_left_out_by_its_own_clock() -> None:
    file = packets.pcap([Record(b"x" * 20, NOW + 1000 * each) for each in range(4)])
    result, data = merged([file, file], [tap(0, NOW + 2000), tap(1, NOW)])
    assert (result.packets, result.early) == ((2, 4), (2, 0))
    assert sum(number == 0 for number, *_ in OwnFile(io.BytesIO(data)).packets()) == 2


def test_tshark_names_the_interface_of_every_packet_and_the_hosts(tmp_path: Path) -> None:
    frame = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(1, 53, b"x")))
    path = tmp_path / "merged.pcapng"
    sll = packets.linux_sll(frame[14:])
    files = [packets.pcap([Record(frame, NOW + 5000)]), packets.pcap([Record(sll, NOW)], link_type=113)]
    path.write_bytes(merged(files)[1])
    fields = ("frame.interface_id", "frame.interface_name", "frame.interface_description", "ip.src_host")
    asked = [part for name in fields for part in ("-e", name)]
    assert tool("tshark", "-N", "n", "-r", str(path), "-T", "fields", *asked).splitlines() == [
        "1\tveth1\ttraefik/cheddar-1 on k8s-node01\tcheddar.pod",
        "0\tveth0\ttraefik/cheddar-0 on k8s-node00\tcheddar.pod",
    ]
    shown = tool("tshark", "-r", str(path), "-Y", 'frame.interface_name == "veth0"')
    assert len(shown.splitlines()) == 1


def test_capinfos_reads_every_interface_and_its_statistics(tmp_path: Path) -> None:
    path = tmp_path / "merged.pcapng"
    file = packets.pcap([Record(b"x" * 60, NOW + 5000)])
    path.write_bytes(merged([file, file], [tap(0, NOW, received=4, dropped=1), tap(1)])[1])
    said = tool("capinfos", "-M", str(path))
    for part in (
        WHOLE.comment,
        "Number of interfaces in file: 2",
        "Name = veth1",
        "Filter string = port 81",
        "Number of stat entries = 1",
        "Number of packets = 1",
    ):
        assert part in said


def test_the_statistics_say_when_a_tap_began_and_what_it_lost() -> None:
    _, data = merged(
        [packets.pcap([Record(b"x" * 20, NOW + 5000)])] * 2, [tap(0), tap(1, NOW, received=4, dropped=1)]
    )
    at = data.rindex(struct.pack("<II", 5, 100))
    number, high, low = struct.unpack_from("<III", data, at + 8)
    assert (number, high << 32 | low) == (1, (NOW + 5000) // 1000)
    options = {
        struct.unpack_from("<H", data, at + 20 + 12 * each)[0]: at + 24 + 12 * each for each in range(6)
    }
    high, low = struct.unpack_from("<II", data, options[2])
    assert high << 32 | low == NOW // 1000
    assert [struct.unpack_from("<Q", data, options[each])[0] for each in (4, 5)] == [4, 1]


def test_recorded_captures_of_three_pods_become_one_file_and_come_back(tmp_path: Path) -> None:
    target = tmp_path / "merged.pcapng"
    result = merged_file(RECORDED, target, WHOLE, [tap(number) for number, _ in enumerate(RECORDED)])
    assert sum(result.packets) == len(tool("tshark", "-r", str(target)).splitlines())
    backs = [io.BytesIO() for _ in RECORDED]
    with target.open("rb") as source:
        read_back_each(source, backs)
    assert [back.getvalue() for back in backs] == [path.read_bytes() for path in RECORDED]


def test_of_what_is_no_pcap_it_is_said_which_and_nothing_is_left(tmp_path: Path) -> None:
    broken, target = tmp_path / "x", tmp_path / "y"
    broken.write_bytes(b"hello")
    with pytest.raises(PcapngError, match=r"Of traefik/cheddar-1 on k8s-node01: The file is not a pcap file"):
        merged_file([RECORDED[0], broken], target, WHOLE, [tap(0), tap(1)])
    assert list(tmp_path.iterdir()) == [broken]


def test_a_damaged_file_gives_what_it_has_and_says_so() -> None:
    whole = packets.pcap([Record(b"x" * 60, NOW)] * 2)
    result, _ = merged([whole, whole[:-5]])
    assert result.packets == (2, 1)
    assert result.troubles == (None, "The file ends in the middle of a packet: that one is left out.")


@given(st.integers(0, 400), st.binary(max_size=8))
@example(at=329, noise=b"\x00\x10")
def test_a_file_that_was_changed_is_refused_or_read_and_nothing_else(at: int, noise: bytes) -> None:
    data = merged([packets.pcap([Record(b"x" * 60, NOW)])] * 2)[1]
    changed = data[:at] + noise + data[at + len(noise) :]
    with suppress(ReadBackError):
        read_back_each(io.BytesIO(changed), [io.BytesIO(), io.BytesIO()])


@pytest.mark.parametrize("targets", [1, 3])
def test_reading_back_into_another_number_of_files_is_refused(targets: int) -> None:
    data = merged([packets.pcap([Record(b"x" * 60, NOW)])] * 2)[1]
    with pytest.raises(ReadBackError):
        read_back_each(io.BytesIO(data), [io.BytesIO() for _ in range(targets)])


def test_a_link_type_without_a_number_in_pcapng_is_refused_before_anything_is_written() -> None:
    with pytest.raises(PcapError, match="Link type 70000"):
        merged([packets.pcap([], link_type=70_000)])
