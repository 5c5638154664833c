import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.workers.summary import oracle, packets
from tests.workers.summary.packets import Record
from tests.workers.summary.watched import children, eventually, status
from workers.cut.file import MEMORY, CutError, cut_file
from workers.cut.headers import SNAPLEN
from workers.summary.confine import NOBODY

pytestmark = pytest.mark.usefixtures("nothing_is_left")

MARKER = hashlib.shake_128(b"marker").digest(400)
FRAME = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 6, packets.tcp(1, 80, MARKER)))


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    path = tmp_path / "spool.pcap"
    path.write_bytes(packets.pcap([Record(FRAME), Record(FRAME, snaplen=SNAPLEN)]))
    return path


def test_packets_from_before_the_beginning_are_left_out_cut_or_whole(tmp_path: Path) -> None:
    early, late = Record(FRAME, time=1_700_000_000_000_000_000), Record(FRAME, time=1_700_000_001_000_000_000)
    source = tmp_path / "spool.pcap"
    source.write_bytes(packets.pcap([early, late]))
    cut = cut_file(source, tmp_path / "whole.pcap", since=late.time, whole=True)
    assert (cut.packets, cut.early) == (1, 1)
    assert (tmp_path / "whole.pcap").read_bytes() == packets.pcap([late])
    assert cut_file(source, tmp_path / "headers.pcap", since=late.time).early == 1
    assert (tmp_path / "headers.pcap").read_bytes() == packets.pcap([Record(FRAME, late.time, snaplen=54)])


def test_in_the_cut_file_there_are_all_packets_and_no_payload(captured: Path, tmp_path: Path) -> None:
    target = tmp_path / "headers.pcap"
    assert cut_file(captured, target).packets == 2
    assert target.read_bytes() == packets.pcap([Record(FRAME, snaplen=54)] * 2)
    assert MARKER[:8] in captured.read_bytes()
    assert oracle.frames(target) == [("TCP 0", len(FRAME))] * 2


def test_packets_are_cut_by_a_process_that_may_do_nothing_but_write_that_file(
    captured: Path, tmp_path: Path
) -> None:
    target = tmp_path / "headers.pcap"
    size = 40 * 400_000
    captured.write_bytes(packets.pcap([Record(FRAME[:24])] * 400_000))
    thread = threading.Thread(target=cut_file, args=(captured, target))
    thread.start()
    child = eventually(lambda: next(iter(children(b"workers.cut.child")), None))
    found = eventually(lambda: seen if (seen := status(child)).get("Seccomp") == "2" else None)
    os.kill(child, signal.SIGSTOP)
    limits = Path(f"/proc/{child}/limits").read_text()
    files = {str(each.readlink()) for each in Path(f"/proc/{child}/fd").iterdir()}
    mode = stat.S_IMODE(Path(f"/proc/{child}/cwd").stat().st_mode)
    os.kill(child, signal.SIGCONT)
    thread.join()
    lines = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()}
    if os.geteuid() == 0:
        assert found["Uid"].split() == found["Gid"].split() == [str(NOBODY)] * 4
    assert (found["CapEff"], found["NoNewPrivs"]) == ("0" * 16, "1")
    assert lines["Max address space"] == [str(MEMORY)] * 2
    assert lines["Max file size"] == [str(24 + size)] * 2
    assert {each for each in files if not each.startswith("pipe:")} == {str(captured), str(target)}
    assert mode == 0o555
    assert target.stat().st_size <= 24 + size


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"",
            (
                "The packets could not be cut to their headers. The file is empty: fetch it again, or "
                "capture again."
            ),
        ),
        (
            MARKER,
            "The packets could not be cut to their headers. The file is not a pcap file: capture again.",
        ),
    ],
)
def test_of_what_is_no_capture_nothing_is_written(tmp_path: Path, data: bytes, sentence: str) -> None:
    source, target = tmp_path / "spool.pcap", tmp_path / "headers.pcap"
    source.write_bytes(data)
    with pytest.raises(CutError) as refused:
        cut_file(source, target)
    assert str(refused.value) == sentence
    assert not target.exists()


def test_a_cut_that_does_not_end_leaves_nothing(captured: Path, tmp_path: Path) -> None:
    target = tmp_path / "headers.pcap"
    captured.write_bytes(packets.pcap([Record(FRAME, snaplen=60)] * 1_000_000))
    with pytest.raises(CutError) as refused:
        cut_file(captured, target, seconds=1)
    assert str(refused.value) == (
        "The packets could not be cut to their headers: reading the packets took longer than 1 s."
    )
    assert not target.exists()


def test_a_full_disk_leaves_nothing(captured: Path, tmp_path: Path) -> None:
    """A limit on this process's files stands in for it: the child cannot raise it."""
    code = (
        "import sys; from pathlib import Path; from workers.cut.file import CutError, cut_file\n"
        "try: cut_file(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except CutError as error: print(error)"
    )
    target = tmp_path / "headers.pcap"
    done = subprocess.run(
        [sys.executable, "-c", code, captured, target],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert done.stdout == "The packets could not be cut to their headers. Writing failed: File too large.\n"
    assert not target.exists()


def test_nothing_is_written_over_another_file(captured: Path) -> None:
    before = captured.read_bytes()
    with pytest.raises(FileExistsError):
        cut_file(captured, captured)
    assert captured.read_bytes() == before
