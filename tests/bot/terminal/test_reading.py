"""How far a file is read, on a line of standard error."""

import io
from pathlib import Path

import pytest

from bot.terminal import reading as module
from bot.terminal.reading import reading
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.summary.summarise import summary_json


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(2000))
    return path


def test_a_file_that_takes_long_has_a_line_that_goes_at_the_end(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUIET_SECONDS", 0.0)
    stream = _Terminal()
    with reading(file, stream) as passing:
        passing(500)
        assert "500 bytes of 2.0 kB read" in stream.getvalue()
        passing(2000)
    assert "putting together what was found" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_file_that_is_read_at_once_and_a_stream_that_is_no_terminal_have_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUIET_SECONDS", 3600.0)
    quick = _Terminal()
    with reading(file, quick) as passing:
        passing(500)
    assert quick.getvalue() == ""
    monkeypatch.setattr(module, "_QUIET_SECONDS", 0.0)
    piped = io.StringIO()
    with reading(file, piped) as passing:
        passing(500)
    assert piped.getvalue() == ""


def test_the_child_that_reads_is_followed_to_the_files_end(tmp_path: Path) -> None:
    path = tmp_path / "real.pcap"
    path.write_bytes(packets.pcap([Record(bytes(60))] * 1000))
    seen: list[int] = []
    summary_json(path, payload=True, passing=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size
