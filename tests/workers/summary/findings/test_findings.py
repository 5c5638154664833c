"""Each finding is there where a capture shows it, and not where it nearly does."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.summary import packets
from tests.workers.summary.findings.cases import NEARLY, SHOWN, quiet, reset_unseen
from tests.workers.summary.findings.wire import Wire, ids
from workers.beside.found import FOUND_BY as FOUND_BESIDE
from workers.service_truth.findings.found import IDS as OF_SERVICES
from workers.summary.finding import Finding
from workers.summary.findings import ranking
from workers.summary.findings.found import FOUND_BY
from workers.summary.summarise import summarise
from workers.tap.proof import DIRECTION_MISSING, PAST_THE_INTERFACE, REPLACED
from workers.vantage.findings.found import FOUND_BY as BETWEEN

_DOCS = Path(__file__).parents[4] / "docs/findings.md"


@pytest.mark.parametrize("about", SHOWN)
def test_a_finding_is_there_where_a_capture_shows_it(about: str) -> None:
    name, case = SHOWN[about]
    findings = case().findings()
    assert name in ids(findings)
    assert "healthy" not in ids(findings) or all(finding.severity == "info" for finding in findings)


@pytest.mark.parametrize("name", NEARLY)
def test_a_finding_is_not_there_where_a_capture_nearly_shows_it(name: str) -> None:
    assert name not in ids(NEARLY[name]().findings())


def test_each_finding_that_packets_show_has_a_case_that_nearly_does() -> None:
    assert {name for name, _ in SHOWN.values()} == NEARLY.keys()


def test_a_quiet_capture_is_healthy_and_says_why() -> None:
    (healthy,) = quiet().findings()
    assert (healthy.id, healthy.severity) == ("healthy", "info")
    assert healthy.sentence == (
        "This capture looks healthy: all of 4 connections that were opened were answered; none was reset; no "
        "packet was sent again; 4 HTTP requests with a status below 400; the one DNS question answered."
    )


def test_of_a_reset_before_which_nothing_was_captured_no_cause_is_told() -> None:
    (finding,) = reset_unseen().findings()
    assert finding.sentence == (
        "`10.244.1.2:81` reset 2 connections with `10.244.2.2` of which nothing was captured before: whether "
        "that was a refusal, or the end of a connection that was open, cannot be told."
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Finding]]:
    """The findings of all cases, and how many packets stand before each case's in one file of all of them."""
    found: dict[str, tuple[int, Finding]] = {}
    records = []
    for about, (name, case) in SHOWN.items():
        wire = case()
        finding = next(each for each in wire.findings() if each.id == name)
        found[about] = len(records), finding
        records += wire.records
    (tmp_path_factory.getbasetemp() / "all.pcap").write_bytes(packets.pcap(records))
    return found


def test_wireshark_shows_with_the_display_filter_what_is_meant_and_the_frame_first(
    shown: dict[str, tuple[int, Finding]], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One run of tshark for all: each case's own frames, in a file of all of them."""
    edges = [before for before, _ in shown.values()] + [10**6]
    arguments: list[str] = []
    for (before, finding), end in zip(shown.values(), edges[1:], strict=True):
        assert "," not in finding.display_filter  # would end the expression here
        moved = _moved(finding, before)
        # A filter that names the frame itself shows an answer besides.
        rest = re.sub(r"^frame\.number == \d+ \|\| ", "", moved)
        within = f"frame.number > {before} && frame.number <= {end}"
        conditions = [f"MIN(frame.number)frame.number && {within} && ({each})" for each in (moved, rest)]
        arguments += ["-z", ",".join(["io,stat,0", *conditions])]
    path = tmp_path_factory.getbasetemp() / "all.pcap"
    done = subprocess.run(
        ["tshark", "-n", "-q", "-r", path, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGS,
        cwd=tmp_path,
    )
    rows = [line.split("|")[2:4] for line in done.stdout.splitlines() if "<>" in line]
    # tshark prints its tables the last one first.
    first = {about: int(row[0]) for about, row in zip(reversed(shown), rows, strict=True)}
    assert [about for about, row in zip(reversed(shown), rows, strict=True) if row[1].strip() == "0"] == []
    assert first == {about: before + (finding.frame or 0) for about, (before, finding) in shown.items()}


def _moved(finding: Finding, before: int) -> str:
    """The filter, for a file with so many frames before."""
    return re.sub(
        r"frame\.number (>=|==) (\d+)",
        lambda found: f"frame.number {found[1]} {int(found[2]) + before}",
        finding.display_filter,
    )


def test_the_documentation_has_exactly_the_findings_that_there_are() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", _DOCS.read_text(), re.MULTILINE)
    told = {*FOUND_BY, ranking.MORE, REPLACED, DIRECTION_MISSING, PAST_THE_INTERFACE, *OF_SERVICES, *BETWEEN}
    told |= FOUND_BESIDE.keys()
    assert sorted(rows) == sorted(told)


def test_every_finding_that_a_case_shows_is_among_those_that_there_are() -> None:
    assert {name for name, _ in SHOWN.values()} <= FOUND_BY.keys()


def test_the_process_that_reads_packets_and_imports_nothing_any_more_finds_the_same(
    tmp_path: Path,
) -> None:
    wire = Wire()
    for _, case in SHOWN.values():
        wire.records += case().records
    path = tmp_path / "all.pcap"
    path.write_bytes(wire.file())
    expected = wire.findings()
    assert len(ids(expected)) > len({name for name, _ in SHOWN.values()}) / 2
    assert list(summarise(path, payload=True).findings) == expected
