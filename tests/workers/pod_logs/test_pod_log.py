from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.cluster.cluster import Cluster
from workers.cluster.pod import Pod
from workers.pod_logs.pod_log import MOST_LINES, LogLine, lines, log_of
from workers.pod_logs.read import logs_of

SECOND = 10**9
BEGIN = int(datetime(2026, 11, 23, 19, 20, tzinfo=UTC).timestamp()) * SECOND
REQUEST = '10.244.1.1 - - [23/Nov/2026:19:20:01 +0000] "GET / HTTP/1.1" 200 42 "-" "curl"'
POD = Pod("traefik", "cheddar-1", "u", "Running", containers={"cheese": "c1", "proxy": "c2"})
ASKED = r"GET /api/v1/namespaces/traefik/pods/cheddar-1/log\?container={}&"


def stamped(*told: tuple[float, str]) -> bytes:
    def stamp(seconds: float) -> str:
        moment = BEGIN + round(seconds * SECOND)
        return f"{datetime.fromtimestamp(moment // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{moment % SECOND:09}Z"

    return "".join(f"{stamp(seconds)} {text}\n" for seconds, text in told).encode()


def test_lines_of_the_window_are_kept_to_the_nanosecond() -> None:
    data = stamped(
        (-0.000000001, "before"), (0, "first"), (1.5, REQUEST), (2, "last"), (2.000000001, "after")
    )
    found = list(lines(data, "cheese", BEGIN, BEGIN + 2 * SECOND))
    assert [line.text for line in found] == ["first", REQUEST, "last"]
    assert [line.at - BEGIN for line in found] == [0, 3 * SECOND // 2, 2 * SECOND]
    assert [line.access is not None for line in found] == [False, True, False]


def test_times_of_another_zone_and_without_fraction_are_read() -> None:
    data = b"2026-11-23T20:20:00.5+01:00 one\n2026-11-23T19:20:01Z two\n"
    assert [line.at - BEGIN for line in lines(data, "c", 0, 2 * BEGIN)] == [SECOND // 2, SECOND]


@given(st.binary(max_size=300), st.integers(0, 80))
@settings(max_examples=examples(60))
def test_no_answer_makes_reading_fail(data: bytes, cut: int) -> None:
    whole = stamped((1, REQUEST))
    for given_data in (data, whole[:cut] + data, data + b"\n" + whole[:cut]):
        list(lines(given_data, "c", 0, 2 * BEGIN))


def test_of_too_many_lines_requests_are_kept_before_others() -> None:
    chatter = ((number, f"line {number}") for number in range(MOST_LINES + 5))
    log = log_of("a", "b", lines(stamped(*chatter, (5000, REQUEST)), "c", 0, 2 * BEGIN))
    assert len(log.lines) == MOST_LINES
    assert log.lines[-1].access is not None
    assert log.notes == (f"It logged {MOST_LINES + 6:,} lines; {MOST_LINES:,} of them are here.",)


def plain(body: bytes) -> Any:
    return lambda client: client.answer(200, body)


def test_every_container_is_read_and_the_run_before_of_one_that_was_restarted(
    cluster: Cluster, server: Any
) -> None:
    server.on(ASKED.format("cheese") + ".*previous=true", plain(stamped((0.5, "panic: out of cheese"))))
    server.on(ASKED.format("cheese"), plain(stamped((1, "listening"), (90, "too late"))))
    server.on(ASKED.format("proxy"), plain(stamped((0.75, REQUEST))))
    log = logs_of(cluster, POD, BEGIN, BEGIN + 2 * SECOND, restarted=["cheese"])
    assert [(line.container, line.text) for line in log.lines] == [
        ("cheese", "panic: out of cheese"),
        ("proxy", REQUEST),
        ("cheese", "listening"),
    ]
    assert log.notes == ()
    assert all("timestamps=true" in one.target and "limitBytes=" in one.target for one in server.requests)
    assert all("sinceTime=2026-11-23T19%3A20%3A00Z" in one.target for one in server.requests)


def test_what_cannot_be_read_is_said_and_the_rest_is_there(cluster: Cluster, server: Any) -> None:
    waiting = {"kind": "Status", "reason": "BadRequest", "message": 'container "cheese" is waiting to start'}
    server.json(ASKED.format("cheese"), 400, waiting)
    server.on(ASKED.format("proxy"), plain(stamped((0.75, "x" * 500))))
    log = logs_of(cluster, POD, BEGIN, BEGIN + 2 * SECOND, limit_bytes=100)
    assert len(log.lines) == 1
    first, second = log.notes
    assert "container cheese is not here" in first
    assert second == "Container proxy logged more than is shown."


def test_a_missing_right_is_one_sentence(cluster: Cluster, server: Any) -> None:
    words = (
        'pods "cheddar-1" is forbidden: User "u" cannot get resource "pods/log" in API group "" in the '
        'namespace "traefik"'
    )
    server.json("GET ", 403, {"kind": "Status", "reason": "Forbidden", "message": words})
    log = logs_of(cluster, POD, BEGIN, BEGIN)
    assert log.lines == ()
    (note,) = log.notes
    assert note.startswith("Its log is not here: podcap lacks a right: its account may not get pods/log in ")
    assert len(server.requests) == 1


@pytest.mark.parametrize("text", ["password=hunter2", "GET /?key=hunter2 HTTP/1.1"])
def test_a_secret_is_not_in_a_log(text: str) -> None:
    log = log_of("a", "b", lines(stamped((0, text)), "c", 0, 2 * BEGIN))
    assert "hunter2" not in repr(log)
    assert isinstance(log.lines[0], LogLine)
