"""`podcap summarize` on files that something else made."""

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.terminal.dispatch import run
from tests.workers.summary import packets
from tests.workers.summary.findings.cases import SHOWN
from tests.workers.summary.packets import Record


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


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_is_a_sentence(file: Path, form: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot.terminal.main", "summarize", str(file), *form],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b"podcap: The output cannot be written: No space left on device. Make room.\n"
    assert done.returncode == 1


def test_its_schema_can_be_printed_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["summarize", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["version"] == {"const": 2}
    assert run(["summarize"]) == 2
    assert "Name a capture file" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["text", "json", "html"])
def test_what_wireshark_says_is_added_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    path = tmp_path / "refused.pcap"
    path.write_bytes(SHOWN["refused"][1]().file())
    options = {"text": [], "json": ["--json"], "html": ["--html", "-"]}[output]
    assert run(["summarize", str(path), *options, "--explain"]) == 0
    assert "Connection reset (RST)" in capsys.readouterr().out


def test_without_json_it_is_the_table_of_the_thread(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["summarize", str(file)]) == 0
    assert "10.0.0.1:4000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "There is no packet in the file."),
        ([packets.arp()] * 2, "There is no TCP or UDP flow in 2 packets (84 bytes in 0.0 ms): 2 ARP."),
    ],
)
def test_a_file_without_flows_is_a_sentence_and_valid_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], frames: list[bytes], sentence: str
) -> None:
    path = tmp_path / "flowless.pcap"
    path.write_bytes(packets.pcap(map(Record, frames)))
    assert run(["summarize", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence
    assert run(["summarize", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert run(["summarize", "--schema"]) == 0
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(told)
    assert (told["flows"], told["totals"]["packets"]) == ([], len(frames))


def test_a_dash_is_standard_input(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.open() as packets:
        monkeypatch.setattr("sys.stdin", packets)
        assert run(["summarize", "-"]) == 0
    assert "10.0.0.1:4000" in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--explain"]])
def test_a_named_pipe_is_read_to_its_end_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(SHOWN["refused"][1]().file(),))
    writer.start()
    assert run(["summarize", str(pipe), *options]) == 0
    writer.join()
    assert ("Connection reset (RST)" in capsys.readouterr().out) == bool(options)


def test_what_fails_besides_the_file_is_not_said_of_the_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert run(["summarize", str(file)]) == 1
    assert capsys.readouterr().err == (
        f"podcap: {file} cannot be summarised: /nowhere/python: No such file or directory.\n"
    )


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


def test_a_picture_and_a_page_are_written_whole_for_their_owner_alone(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, page = tmp_path / "out.png", tmp_path / "out.html"
    assert run(["summarize", str(file), "--picture", str(picture), "--html", str(page)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "<h1>made.pcap</h1>" in page.read_text()
    assert {oct(path.stat().st_mode & 0o777) for path in (picture, page)} == {"0o600"}
    assert capsys.readouterr().out == f"Written to {picture}\nWritten to {page}\n"


def test_what_is_there_is_replaced_only_when_that_is_asked_for(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "out.html"
    page.write_text("mine")
    assert run(["summarize", str(file), "--html", str(page)]) == 1
    assert "`--force`" in capsys.readouterr().err
    assert page.read_text() == "mine"
    assert run(["summarize", str(file), "--html", str(page), "--force"]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_no_file_is_written_over_the_one_that_is_read_or_over_the_other(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    alias = file.parent / "alias.pcap"
    alias.symlink_to(file)
    assert run(["summarize", str(file), "--html", str(file), "--force"]) == 2
    assert run(["summarize", str(file), "--picture", str(alias), "--force"]) == 2
    assert file.read_bytes() == before
    out = tmp_path / "out"
    assert run(["summarize", str(file), "--html", str(out), "--picture", str(out)]) == 2
    assert capsys.readouterr().err.count("is named twice") == 3
    assert not out.exists()


def test_json_stands_alone_on_standard_output_whatever_is_written_besides(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["summarize", str(file), "--json", "--html", str(tmp_path / "out.html")]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2
    assert (tmp_path / "out.html").exists()


def test_a_page_can_go_to_standard_output_but_not_beside_json_and_a_picture_never(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["summarize", str(file), "--html", "-"]) == 0
    assert capsys.readouterr().out.endswith("</html>\n")
    assert run(["summarize", str(file), "--html", "-", "--json"]) == 2
    assert run(["summarize", str(file), "--picture", "-"]) == 2


@pytest.mark.parametrize("option", ["--html", "--picture"])
@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("/dev/full", "no regular file: name one that is"),
        (".", "no regular file: name one that is"),
        ("nowhere/OUT", "There is no folder nowhere"),
        ("made.pcap/OUT", "There is no folder made.pcap"),
        ("x" * 300, "File name too long"),
        ("circle", "is not replaced"),
        ("circle/OUT", "There is no folder circle"),
    ],
)
def test_where_nothing_can_be_written_a_sentence_says_so_and_nothing_is_left(
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    out: str,
    sentence: str,
) -> None:
    monkeypatch.chdir(file.parent)
    Path("circle").symlink_to("circle")
    assert run(["summarize", file.name, option, out]) == 1
    output, errors = capsys.readouterr()
    (line,) = errors.splitlines()
    assert output == ""
    assert line.startswith("podcap: ")
    assert sentence in line
    assert sorted(path.name for path in file.parent.iterdir()) == ["circle", "made.pcap"]


def test_what_the_system_cannot_read_is_a_sentence_and_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["summarize", "/proc/self/mem"]) == 1  # open, but there is nothing at 0
    assert capfd.readouterr() == ("", "podcap: The file cannot be read (Input/output error): copy it anew.\n")


def test_a_page_that_cannot_be_made_anywhere_is_a_sentence(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        assert run(["summarize", str(file), "--html", str(file.parent / "OUT")]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    (line,) = capsys.readouterr().err.splitlines()
    assert "could not be written" in line
    assert [path.name for path in file.parent.iterdir()] == ["made.pcap"]


def test_that_the_folder_one_stands_in_is_gone_is_a_sentence(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = file.parent / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run(["summarize", str(file), "--html", "OUT"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("podcap: OUT could not be written (No such file or directory): ")
