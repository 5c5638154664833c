"""What is counted, and that the documentation lists exactly that."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY as DEFAULT
from prometheus_client import CollectorRegistry

from tests.migrated import migrated
from tests.workers.trace.test_spans import told
from workers import metrics
from workers.figures import LedgerFigures
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.states import State

DOCS = Path(__file__).parents[2] / "docs/operations.md"


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    engine = migrated(tmp_path / "podcap.db")
    return Ledger(engine)


def families(ledger: Ledger) -> dict[str, str]:
    """Every metric of podcap's own and its type, by the name it is asked for."""
    registry = CollectorRegistry()
    registry.register(LedgerFigures(ledger))
    found = [*metrics.REGISTRY.collect(), *registry.collect()]
    return {
        one.name + ("_total" if one.type == "counter" else ""): one.type
        for one in found
        if one.name.startswith("podcap_")
    }


def test_the_documentation_lists_exactly_what_is_exposed(ledger: Ledger) -> None:
    documented = dict(re.findall(r"^\| `(podcap_\w+)` \| (\w+) \|", DOCS.read_text(), re.MULTILINE))
    assert documented == families(ledger)


def test_the_example_alerts_ask_for_metrics_that_exist(ledger: Ledger) -> None:
    asked = set(
        re.findall(r"podcap_\w+", "".join(re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)))
    )
    assert asked
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= set(families(ledger))


def test_names_have_base_units_and_no_label_is_a_pod_a_person_or_a_capture(ledger: Ledger) -> None:
    for name, kind in families(ledger).items():
        assert name.endswith("_total") is (kind == "counter")
        assert not re.search(r"_(ms|milliseconds|minutes|mb|kb|mib)(_|$)", name)
    labels = {
        label for one in metrics.REGISTRY.collect() for sample in one.samples for label in sample.labels
    }
    assert labels <= {"state", "le"}
    assert not [name for name in DEFAULT._names_to_collectors if name.startswith("podcap")]


def test_a_move_is_counted_with_the_time_in_the_state_before() -> None:
    before = value("podcap_capture_phase_seconds_sum", state="capturing")
    moves = value("podcap_capture_moves_total", state="collecting")
    metrics.count(told("requested", "queued", "tapping", "capturing", "extended", "collecting"))
    assert value("podcap_capture_phase_seconds_sum", state="capturing") - before == pytest.approx(2)
    assert value("podcap_capture_moves_total", state="collecting") - moves == 1


def test_an_end_is_counted_with_the_time_since_the_request() -> None:
    before = value("podcap_capture_duration_seconds_sum", state="failed")
    metrics.count(told("requested", "queued", "failed"))
    assert value("podcap_capture_duration_seconds_sum", state="failed") - before == pytest.approx(2)


def test_packets_bytes_and_drops_are_those_of_the_spool() -> None:
    names = ("podcap_captured_packets_total", "podcap_captured_bytes_total", "podcap_dropped_packets_total")
    before = [value(name) for name in names]
    metrics.count(told("requested", "collecting", "summarising", packets=7, bytes=700, dropped=None))
    assert [value(name) - old for name, old in zip(names, before, strict=True)] == [7, 700, 0]


@pytest.mark.parametrize(
    ("event", "name"),
    [("worker lost", "podcap_leases_lost_total"), ("taken over", "podcap_takeovers_total")],
)
def test_a_lost_worker_and_a_takeover_are_counted(event: str, name: str) -> None:
    before = value(name)
    metrics.count(told("requested", "tapping", event))
    assert value(name) - before == 1


def test_a_ledger_without_an_answer_says_only_that() -> None:
    figures = LedgerFigures(Ledger(open_engine("postgresql://podcap@127.0.0.1:1/podcap")))
    (up,) = figures.collect()
    assert (up.name, up.samples[0].value) == ("podcap_ledger_up", 0)


def test_an_empty_ledger_tells_every_state(ledger: Ledger) -> None:
    found = {one.name: one for one in LedgerFigures(ledger).collect()}
    assert {sample.labels["state"] for sample in found["podcap_captures"].samples} == set(State)
    assert found["podcap_queue_age_seconds"].samples[0].value == 0
