"""`podcap summarize` on files that something else made."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from bot.terminal.dispatch import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A UDP packet, made by text2pcap."""
    path = tmp_path / "made.pcap"
    subprocess.run(
        ["text2pcap", "-F", "pcap", "-q", "-4", "10.0.0.1,10.0.0.2", "-u", "4000,53", "-", str(path)],
        input=b"0000 61 62 63 64\n",
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return path


def test_json_has_the_flows_with_these_fields(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["summarize", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["findings"]) == (2, [])
    assert told["flows"] == [
        {
            "protocol": "UDP",
            "a": "10.0.0.1:4000",
            "b": "10.0.0.2:53",
            "packets_ab": 1,
            "bytes_ab": 60,  # Ethernet's shortest frame
            "packets_ba": 0,
            "bytes_ba": 0,
            "start": 0.0,
            "duration": 0.0,
            "first_frame": 1,
        }
    ]


def test_without_json_it_is_the_table_of_the_thread(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["summarize", str(file)]) == 0
    assert "10.0.0.1:4000" in capsys.readouterr().out


def test_a_dash_is_standard_input(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.open() as packets:
        monkeypatch.setattr("sys.stdin", packets)
        assert run(["summarize", "-"]) == 0
    assert "10.0.0.1:4000" in capsys.readouterr().out


def test_packets_are_not_typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert run(["summarize", "-"]) == 2
    os.close(master)
    assert "name a file" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"no packets", b"\x0a\x0d\x0d\x0a" + b"x" * 40])
def test_a_file_that_is_missing_or_broken_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "x\x1b[2J.pcap"
    if content is not None:
        path.write_bytes(content)
    assert run(["summarize", str(path)]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    (line,) = errors.splitlines()
    assert line.startswith("podcap: ")
    assert line.isprintable()
