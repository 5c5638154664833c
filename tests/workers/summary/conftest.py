import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from tests.workers.summary.speech import Dialogue

EVIDENCE = Path(__file__).parents[2] / "evidence"
RECORDED = sorted(EVIDENCE.glob("nodeport-*/*.pcap"))


@pytest.fixture(params=RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem[-5:]}")
def recorded(request: pytest.FixtureRequest) -> Path:
    """Each capture that was recorded at a pod's veth of a real cluster."""
    path = request.param
    assert isinstance(path, Path)
    return path


@pytest.fixture
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Afterwards there is no temporary file and no process, running or zombie, that was not there before."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    # A server that other tests of this session use is a child, too.
    before = _children()
    yield
    assert list(folder.iterdir()) == []
    assert _children() <= before


def _children() -> set[str]:
    """The ids of this process's children: the fourth field of /proc/PID/stat, behind the name (proc(5))."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.add(stat.parent.name)
    return found


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """A capture with one HTTP request."""
    dialogue = Dialogue()
    dialogue.connect().says(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").hears(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )
    path = tmp_path / "spoken.pcap"
    path.write_bytes(dialogue.file())
    return path


@pytest.fixture
def stand_in() -> Iterator[Callable[[str], Path]]:
    """Puts a program called tshark where anybody can run it; gives the folder to put into PATH."""
    # pytest's own folders are closed to the user that the child becomes.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="stand-in-") as name:
        folder = Path(name)
        folder.chmod(0o755)

        def write(script: str) -> Path:
            program = folder / "tshark"
            version = '[ "$1" = -v ] && { echo "TShark (Wireshark) 4.0.17"; exit 0; }'
            program.write_text(f"#!/bin/sh\n{version}\n{script}\n")
            program.chmod(0o755)
            return folder

        yield write


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A datagram behind an MPLS label, which only tshark opens, and one that is not."""
    datagram = packets.ipv4("10.0.0.1", "10.0.0.2", 17, packets.udp(4000, 5000, b"x" * 30))
    frames = packets.ethernet(b"\x00\x01\x01\x40" + datagram, 0x8847), packets.ethernet(datagram)
    path = tmp_path / "labelled.pcap"
    path.write_bytes(packets.pcap([Record(frame) for frame in frames]))
    return path
