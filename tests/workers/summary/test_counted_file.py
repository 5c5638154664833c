"""A file that takes longer than there is time for. No test here waits: time is over when it says so."""

import errno
import gzip
import io
import shlex
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.workers.summary import blocks, packets
from tests.workers.summary.packets import Record
from workers.summary.counted_file import TOO_LONG, TOO_MUCH, counted_file
from workers.summary.files.packets import PcapError

PACKETS = 4000
_RECORDS = [
    Record(packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(n % 9 + 1, 9, bytes(972)))))
    for n in range(PACKETS)
]
"""Four megabytes."""

FILES: dict[str, Callable[[list[Record]], bytes]] = {
    "pcap": packets.pcap,
    "pcapng": lambda records: b"".join(
        [blocks.section(), blocks.interface(), *(blocks.packet(record.frame) for record in records)]
    ),
    "gzip": lambda records: gzip.compress(packets.pcap(records), 1),
}


def after(times: int, why: str = TOO_LONG) -> Callable[[], str]:
    """It is over when that was asked so often."""
    asked: Iterator[int] = count(1)
    return lambda: why if next(asked) > times else ""


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("times", [0, 3, 10])
def test_what_was_read_until_then_is_told_and_how_far_that_is(kind: str, times: int) -> None:
    whole = FILES[kind](_RECORDS)
    found = counted_file(io.BytesIO(whole), payload=True, over=after(times))
    read = found.summary.totals.packets
    assert found.early
    assert (1 << 20) // 1100 < read < PACKETS
    first = counted_file(io.BytesIO(FILES[kind](_RECORDS[:read])), payload=True, over=lambda: "")
    assert (found.summary.totals, found.summary.flows) == (first.summary.totals, first.summary.flows)
    (note,) = found.summary.notes
    assert f"its first {read:,} packets only" in note
    if kind != "gzip":
        (share,) = [int(word[1:]) for word in note.split() if word.startswith("(")]
        assert abs(share / 100 - read / PACKETS) < 0.05


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_read_in_time_is_told_whole_and_nothing_is_said(kind: str) -> None:
    found = counted_file(io.BytesIO(FILES[kind](_RECORDS)), payload=True, over=lambda: "")
    assert (found.early, found.summary.totals.packets, found.summary.notes) == (False, PACKETS, ())


def test_a_small_file_is_read_whatever_the_time() -> None:
    file = io.BytesIO(packets.pcap(_RECORDS[:500]))
    found = counted_file(file, payload=True, over=lambda: TOO_LONG)
    assert (found.early, found.summary.totals.packets) == (False, 500)


def test_more_time_tells_no_less() -> None:
    whole = packets.pcap(_RECORDS)
    told = [
        counted_file(io.BytesIO(whole), payload=True, over=after(times)).summary.totals.packets
        for times in range(8)
    ]
    assert told == sorted(told)


@pytest.mark.parametrize("why", [TOO_LONG, TOO_MUCH])
def test_why_it_was_not_read_to_its_end_is_said(why: str) -> None:
    found = counted_file(io.BytesIO(packets.pcap(_RECORDS)), payload=True, over=after(0, why))
    assert found.summary.notes[0].startswith(f"Reading the whole file {why}, so this is about")


def test_of_a_pipe_nobody_knows_the_whole() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    (note,) = counted_file(Pipe(packets.pcap(_RECORDS)), payload=True, over=after(0)).summary.notes
    assert "%" not in note
    assert "packets only: to see the rest" in note


def test_what_only_tshark_opens_is_named_in_what_was_read() -> None:
    label = packets.ethernet(b"\x00\x01\x01\x40" + bytes(60), 0x8847)
    found = counted_file(io.BytesIO(packets.pcap([Record(label), *_RECORDS])), payload=True, over=after(0))
    assert (found.early, found.unknown) == (True, ("MPLS",))


def test_a_file_that_unzips_to_a_thousand_times_its_size_ends_in_time_too() -> None:
    empty = struct.pack("<IIII", 1_700_000_000, 0, 0, 0) * 1_000_000
    packed = io.BytesIO(gzip.compress(packets.pcap([]) + empty, 1))
    found = counted_file(packed, payload=False, over=after(0))
    assert found.early
    assert found.summary.totals.packets < 100_000


def notes(data: bytes) -> tuple[str, ...]:
    return counted_file(io.BytesIO(data), payload=True, over=lambda: "").summary.notes


UNZIPPED = "The file's gzip is cut short or damaged: what stands behind that is left out."


def test_wherever_a_gzipped_file_is_cut_that_is_said() -> None:
    whole = gzip.compress(packets.pcap(_RECORDS[:20]))
    assert notes(whole) == ()
    for end in range(3, len(whole)):
        try:
            assert notes(whole[:end]) == (UNZIPPED,)
        except PcapError as error:
            assert str(error) == (  # noqa: PT017, most of them are no error
                "The file's gzip is cut short or damaged: fetch it again, or capture again."
            )
            assert end < 100


def test_a_gzipped_file_whose_checksum_is_wrong_is_damaged_and_what_follows_a_good_one_is_nothing() -> None:
    whole = gzip.compress(packets.pcap(_RECORDS[:2]))
    assert notes(whole[:-8] + bytes(8)) == (UNZIPPED,)
    assert notes(whole + bytes(100)) == notes(whole + b"anything") == ()
    more = gzip.compress(packets.pcap(_RECORDS[:1])[24:])  # goes on where the first ends
    assert notes(whole + more) == ()
    assert notes(whole + more[:15]) == (UNZIPPED,)


def test_a_file_without_packets_lacks_nothing_of_them() -> None:
    assert notes(blocks.section()) == ()


def test_that_packets_have_no_time_is_said() -> None:
    frame = _RECORDS[0].frame
    simple = blocks.block(3, struct.pack("<I", len(frame)) + frame)
    (note,) = notes(blocks.section() + blocks.interface() + simple + blocks.packet(frame))
    assert note.startswith("Packets in this file have no time (Simple Packet Blocks): ")


@pytest.mark.parametrize(
    ("indexes", "said"), [((2, 2), None), ((7, 2, 7), "2 and 7"), (range(1, 20), "1, 2, 3, 4, 5, 6, 7 and 8")]
)
def test_that_a_file_was_captured_at_several_interfaces_is_said(
    indexes: Iterable[int], said: str | None
) -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 4001))
    frames = [packets.linux_sll2(datagram, interface=index) for index in indexes]
    found = notes(packets.pcap(map(Record, frames), link_type=276))
    assert [note.partition("(indexes ")[2].partition(")")[0] for note in found] == ([said] if said else [])
    assert all(f"-Y 'sll.ifindex == {min(indexes)}'" in note for note in found)


def test_an_interface_is_taken_out_by_the_command_that_is_told(tmp_path: Path) -> None:
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 4001))
    frames = [packets.linux_sll2(datagram, interface=index) for index in (7, 2, 7)]
    (tmp_path / "FILE").write_bytes(packets.pcap(map(Record, frames), link_type=276))
    (note,) = notes((tmp_path / "FILE").read_bytes())
    command = note.partition("`")[2].partition("`")[0]
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True)
    assert notes((tmp_path / "OUT").read_bytes()) == ()


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("whole", [0, 20_000])
def test_of_a_disk_that_fails_what_was_read_before_is_told(kind: str, whole: int) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            given = super().read(min(size or 0, whole - self.tell()))
            if not given:
                raise OSError(errno.EIO, "Input/output error")
            return given

    file = Failing(FILES[kind](_RECORDS[:40]))
    if whole:
        (note,) = counted_file(file, payload=False, over=lambda: "").summary.notes
        assert note == (
            "The file cannot be read to its end (Input/output error): what stands behind that is left out."
        )
    else:
        with pytest.raises(
            PcapError, match=r"The file cannot be read \(Input/output error\): copy it anew\."
        ):
            counted_file(file, payload=False, over=lambda: "")
