"""One capture through the real processes, as their logs, metrics and traces tell it."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import free_port
from tests.e2e.conftest import eventually
from tests.e2e.crowd import CHANNEL, POLICY, Books, ask, let_in
from tests.workers.trace.collector import Collector, collecting
from workers.ledger.states import State

PROCESSES = ("bot", "worker", "beat")
CAPTURED = ["requested", "queued", "tapping", "capturing", "collecting", "summarising", "delivering"]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture(scope="module")
def captured(make_world: Callable[..., Any], collector: Collector) -> Any:
    """A podcap that has made one capture; each process serves its probes."""
    ports = {name: str(free_port()) for name in ("worker", "beat")}
    world = make_world(
        policy=POLICY,
        settings={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"},
        own={name: {"PODCAP_METRICS_PORT": port} for name, port in ports.items()},
    )
    let_in(world)
    world.ports = ports | {"bot": world.port}
    with world.traffic():
        world.command(f"traefik/{world.pod()} 2s full port 80")
        world.wait_for_end()
    return world


OF_THE_PROCESS = ("workers.figures", "workers.working_folder")
"""They speak of the process and of what others left, not of one capture."""


def lines(world: Any, process: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in world.podcap.log(process).splitlines() if line.startswith("{")]


def get(world: Any, process: str, path: str) -> str:
    url = f"http://127.0.0.1:{world.ports[process]}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def serves(world: Any, process: str) -> bool:
    """Whether its probes can be asked: a process may be slow to begin."""
    try:
        get(world, process, "/healthz")
    except ConnectionRefusedError:
        return False
    except urllib.error.URLError as error:
        return not isinstance(error.reason, ConnectionRefusedError)
    return True


def test_every_line_about_the_capture_bears_its_id_from_the_click_to_the_last_upload(captured: Any) -> None:
    bot, worker = lines(captured, "bot"), lines(captured, "worker")
    asked = [line["message"] for line in bot].index("asked for")
    about = [line for line in bot[asked:] if line["logger"].startswith(("bot", "workers"))]
    taken = [
        line for line in worker if line["logger"].startswith("workers") or "run_capture[" in line["message"]
    ]
    assert about
    assert [line["message"] for line in taken if line["message"] in set(State)][-1] == "delivered"
    without = [line for line in about + taken if line.get("capture") != captured.capture]
    assert [line for line in without if line["logger"] not in OF_THE_PROCESS] == []


def test_no_line_of_any_process_holds_a_secret(captured: Any) -> None:
    for process in PROCESSES:
        log = captured.podcap.log(process)
        for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
            assert captured.environment[name] not in log


def test_each_process_says_that_it_is_well_and_what_it_did(captured: Any) -> None:
    for process in PROCESSES:
        eventually(lambda process=process: serves(captured, process), what=lambda: "the probes")
        for path in ("/healthz", "/readyz"):
            assert json.loads(get(captured, process, path)) == {"status": "ok", "wrong": []}
    assert 'podcap_captures{state="delivered"} 1.0' in get(captured, "bot", "/metrics")
    assert "podcap_slack_ack_seconds_count 1.0" in get(captured, "bot", "/metrics")
    worker = get(captured, "worker", "/metrics")
    assert 'podcap_capture_moves_total{state="delivered"} 1.0' in worker
    assert re.search(r"^podcap_captured_packets_total [1-9]", worker, re.MULTILINE)
    round_ = re.compile(r"^podcap_housekeeping_last_round_timestamp_seconds [1-9]", re.MULTILINE)
    eventually(lambda: round_.search(get(captured, "beat", "/metrics")), what=lambda: "beat's first round")


def test_one_trace_goes_from_the_click_over_the_queue_to_the_last_upload(
    captured: Any, collector: Collector
) -> None:
    def names() -> list[str]:
        return [span.name for span in collector.spans(captured.capture)]

    eventually(lambda: {*CAPTURED, "capture"} <= set(names()), what=lambda: str(names()))
    spans = sorted(collector.spans(captured.capture), key=lambda span: span.start_time_unix_nano)
    assert sorted(names()) == sorted([*CAPTURED, "capture"])
    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_span_id] == ["capture"]
    assert b"port 80" not in b"".join(request.SerializeToString() for request in collector.requests)


def test_requests_of_many_at_once_are_all_acked_and_each_gets_its_message_and_its_place(
    captured: Any,
) -> None:
    captured.control("limits", {"scale": 0})
    captured.podcap.stop("worker")
    asked = ask(
        captured, 20, seconds=0.25, text=f"traefik/{captured.pod()} 1s", filters=["port 80", "port 81"]
    )
    assert [one.said for one in asked if not one.capture] == []
    assert len({one.capture for one in asked}) == 20
    books = Books(captured.environment["PODCAP_DATABASE_URL"])
    eventually(lambda: books.states(asked) == {State.QUEUED: 20}, what=lambda: str(books.states(asked)))
    assert books.without_message(asked) == []
    shown = captured.control(f"channel?channel={CHANNEL}")
    assert [one.capture for one in asked if one.capture not in shown] == []
    books.close()
    captured.control("limits", {"scale": 1})
