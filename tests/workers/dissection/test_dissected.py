"""What Wireshark says of the packets that show findings, by real tsharks in real children."""

import os
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.summary import mutate, packets, spoken
from tests.workers.summary.conftest import nothing_is_left, stand_in
from tests.workers.summary.findings import cases
from tests.workers.summary.findings.wire import Wire, summary_of
from tests.workers.summary.watched import children, eventually, runs, status
from workers.dissection.dissected import _ONE_AT_A_TIME, MOST, DissectionError, _run, dissected
from workers.summary.confine import NOBODY
from workers.summary.exchange import HttpExchange
from workers.summary.finding import Finding
from workers.summary.summary import Summary

pytestmark = pytest.mark.usefixtures("nothing_is_left")
__all__ = ["nothing_is_left", "stand_in"]

WORD = "hUnter2xSecret9word"
SHOWN = {
    "refused": ("TCP", "Connection reset (RST)"),
    "mtu-blackhole": ("TCP", "This frame is a (suspected) retransmission"),
    "icmp-error": ("ICMP", "Code: 3 (Port unreachable)"),
    "neighbour-conflict": ("ARP", "Sender IP address: 10.244.1.9"),
    "dns-failure of the server": ("DNS", "Reply code: Server failure (2)"),
    "http-server-error": ("HTTP", "Status Code: 503"),
    "tls-failure": ("TLS", "Description: Unknown CA (48)"),
    "zero-window": ("TCP", "TCP Zero Window segment"),
}
assert len(SHOWN) <= MOST


@pytest.fixture
def several(tmp_path: Path) -> tuple[Path, Summary]:
    """A file of several cases one behind the other, with just their findings."""
    records, findings = [], []
    summary = cases.quiet().summary()
    for about in SHOWN:
        name, case = cases.SHOWN[about]
        wire = case()
        finding = next(each for each in wire.findings() if each.id == name)
        findings.append(replace(finding, frame=len(records) + (finding.frame or 0), sentence=about))
        records += wire.records
    path = tmp_path / "several.pcap"
    path.write_bytes(packets.pcap(records))
    return path, replace(summary, findings=tuple(findings))


def test_the_packets_that_show_a_finding_are_dissected(several: tuple[Path, Summary]) -> None:
    path, summary = several
    explained = dissected(path, summary, seconds=HANGS)
    assert Summary.from_json(explained.to_json()) == explained
    for finding in explained.findings:
        protocol, said = SHOWN[finding.sentence]
        lines = [each.line for each in finding.telling]
        assert finding.telling[0].frame == finding.frame
        assert finding.telling[0].protocol == protocol
        assert said in "\n".join(lines)


def small(tmp_path: Path) -> tuple[Path, Summary]:
    wire = cases.refused()
    path = tmp_path / "refused.pcap"
    path.write_bytes(wire.file())
    return path, wire.summary()


@pytest.mark.parametrize(
    ("script", "seconds", "why"),
    [
        ("exit 3", HANGS, "failed"),
        (f"echo '<packet><proto name=\"{WORD}\">{WORD}</packet>'", HANGS, "failed"),
        ("exec /bin/sleep 1000", 1, "longer than 1 s"),
        ("while :; do echo '<packet>'; done", 1, ""),
    ],
)
def test_whatever_becomes_of_tshark_it_is_one_sentence_and_nothing_is_left(
    tmp_path: Path,
    stand_in: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    seconds: int,
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PATH", f"{stand_in(script)}:{os.environ['PATH']}")
    with pytest.raises(DissectionError, match=f"^Wireshark says nothing about the findings: .*{why}.*\\.$"):
        dissected(*small(tmp_path), seconds=seconds)
    assert WORD not in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
def test_tshark_is_as_confined_as_in_a_summary_and_ends_with_its_parent(
    tmp_path: Path, stand_in: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{stand_in('exec /bin/sleep 1000')}:{os.environ['PATH']}")
    failed: list[BaseException] = []

    def dissect() -> None:
        try:
            dissected(*small(tmp_path), seconds=HANGS)
        except DissectionError as error:
            failed.append(error)

    thread = threading.Thread(target=dissect)
    thread.start()
    child = eventually(lambda: next(iter(children(b"workers.dissection.child")), None))
    sleeping = eventually(lambda: next(iter(children(b"/bin/sleep\x001000", child)), None))
    found = status(sleeping)
    limits = Path(f"/proc/{sleeping}/limits").read_text()
    os.kill(child, signal.SIGKILL)
    thread.join(HANGS)
    assert found["Uid"].split() == found["Gid"].split() == [str(NOBODY)] * 4
    assert (found["CapEff"], found["NoNewPrivs"], found["Seccomp"]) == ("0" * 16, "1", "2")
    assert re.search(r"^Max file size +0 +0 ", limits, re.MULTILINE)
    assert "signal 9" in str(failed)
    eventually(lambda: None if runs(sleeping) else True)


def test_where_others_take_too_long_nobody_waits_without_end(tmp_path: Path) -> None:
    with _ONE_AT_A_TIME, pytest.raises(DissectionError, match="too many captures end at once"):
        dissected(*small(tmp_path), seconds=0)


def test_without_tshark_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(os, "defpath", "/nowhere")
    with pytest.raises(DissectionError, match="says nothing"):
        dissected(*small(tmp_path), seconds=HANGS)


def test_a_pipe_cannot_be_read_again_and_that_is_said(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DissectionError, match="not a pipe"):
        dissected(pipe, cases.refused().summary())


def test_where_nothing_is_wrong_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    quiet = cases.quiet()
    summary = quiet.summary()
    assert dissected(tmp_path / "not there", summary) is summary


def test_a_protocol_at_an_unusual_port_is_dissected_as_what_podcap_knows_it_for(tmp_path: Path) -> None:
    wire = Wire()
    wire.tcp(22).get("/", status=503).close()
    path = tmp_path / "odd.pcap"
    path.write_bytes(wire.file())
    summary = wire.summary()
    assert isinstance(summary.exchanges[0], HttpExchange)
    found = next(
        each for each in dissected(path, summary, seconds=HANGS).findings if each.id == "http-server-error"
    )
    assert [each.protocol for each in found.telling] == ["HTTP", "HTTP"]


def test_a_planted_secret_is_in_no_dissection_of_any_packet_and_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All packets of all protocols, not only those that show something."""
    data = [make(WORD) for make in spoken.SECRETLY.values()]
    whole = data[0] + b"".join(each[24:] for each in data[1:])
    path = tmp_path / "secrets.pcap"
    path.write_bytes(whole)
    count = summary_of(whole).totals.packets
    told = _run(path, range(1, count + 1), ["tcp.port==50051,http2", "tcp.port==6379,resp"], HANGS)
    protocols = {each.protocol for near in told.values() for each in near}
    assert {"HTTP", "HTTP2", "PGSQL", "KAFKA", "RESP", "ICMP"} <= protocols
    assert WORD.lower() not in f"{told}{caplog.text}".lower()


def test_a_megabyte_in_one_packet_and_hostile_names_are_cut(tmp_path: Path) -> None:
    wire = Wire()
    wire.dns("a" * 60 + ".<!channel>." + "\x1b[31m" * 9 + "." + "b" * 60, 2)
    wire.tcp(80).says(b"X" * 60_000).hears(b"HTTP/1.1 500 " + b"y" * 60_000)
    path = tmp_path / "hostile.pcap"
    path.write_bytes(wire.file())
    findings = (Finding("dns-failure", "critical", "x", frame=1), Finding("reset", "critical", "x", frame=6))
    explained = dissected(path, replace(wire.summary(), findings=findings), seconds=HANGS)
    dns, _ = explained.findings
    assert "Server failure" in str(dns.telling)
    assert max(len(text) for each in dns.packets for text in each.fields.values()) <= 120


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_files_with_faults_are_dissected_or_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    for number in range(150):
        path.write_bytes(mutate.mutated(7 * number))
        try:
            told = _run(path, range(1, 9), ["tcp.port==50051,http2"], HANGS)
        except DissectionError as error:
            assert str(error).endswith(".")  # noqa: PT017, most can be dissected
        else:
            assert all(frame in {each.frame for each in near} for frame, near in told.items())
