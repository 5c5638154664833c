"""Findings from what is known besides the packets, and what is left of others then."""

from tests.workers.summary.findings.cases import SHOWN, quiet
from tests.workers.summary.findings.wire import Wire, ids
from workers.summary.context import Context
from workers.summary.finding import Finding


def only(findings: list[Finding], name: str) -> Finding:
    (finding,) = (each for each in findings if each.id == name)
    return finding


def test_packets_that_passed_and_were_not_captured_are_a_tap_that_does_not_see() -> None:
    finding = only(Wire().findings(Context(moved=400)), "nothing-captured")
    assert finding.severity == "critical"
    assert "400 packets passed the interface meanwhile" in finding.sentence


def test_a_filter_that_let_none_of_many_through_is_named_and_inert() -> None:
    finding = only(Wire().findings(Context(moved=400, filter="port 80 or `<!channel>`")), "nothing-captured")
    assert finding.severity == "warning"
    assert finding.sentence == (
        "400 packets passed the interface meanwhile, and the filter let none of them through."
    )
    assert finding.numbers["filter"] == "port 80 or '&lt;!channel&gt;'"


def test_few_packets_may_have_passed_before_or_after() -> None:
    finding = only(Wire().findings(Context(moved=9)), "nothing-captured")
    assert finding.severity == "info"


def test_of_an_empty_file_from_elsewhere_nothing_is_said() -> None:
    assert Wire().findings() == []


def test_a_file_with_packets_is_not_empty_however_many_moved() -> None:
    assert ids(quiet().findings(Context(moved=10**6))) == {"healthy"}


def test_packets_that_the_kernel_dropped_are_told_with_their_share() -> None:
    wire = quiet()
    finding = only(wire.findings(Context(dropped=len(wire.records))), "dropped")
    assert finding.numbers["share"] == 0.5
    assert "(50 %)" in finding.sentence


def test_nothing_dropped_is_no_finding_and_a_capture_with_drops_is_not_called_healthy() -> None:
    assert ids(quiet().findings(Context(dropped=0))) == {"healthy"}
    assert ids(quiet().findings(Context(dropped=3))) == {"dropped"}


def test_what_rests_on_missing_packets_is_uncertain_when_the_kernel_dropped_some() -> None:
    wire = SHOWN["unanswered"][1]()
    certain, doubted = (only(wire.findings(Context(dropped=n)), "unanswered") for n in (0, 7))
    assert (certain.severity, doubted.severity) == ("critical", "warning")
    assert doubted.sentence == (
        f"{certain.sentence} This is uncertain: the kernel dropped 7 packets of this capture."
    )


def test_what_was_seen_stays_certain_when_the_kernel_dropped_some() -> None:
    wire = SHOWN["refused"][1]()
    assert only(wire.findings(Context(dropped=7)), "refused") == only(wire.findings(), "refused")


def test_a_limit_that_ended_the_capture_is_told() -> None:
    finding = only(quiet().findings(Context(cut_by="packets")), "cut-short")
    assert "at its limit of packets" in finding.sentence
    assert ids(quiet().findings(Context(cut_by=None))) == {"healthy"}


def test_a_filter_for_one_direction_makes_no_way_asymmetric() -> None:
    wire = SHOWN["one-way"][1]()
    assert "one-way" in ids(wire.findings(Context(filter="port 9000")))
    assert "one-way" not in ids(wire.findings(Context(filter="dst port 9000")))
