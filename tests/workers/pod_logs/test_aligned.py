"""Lines beside packets. The pod is 10.244.1.3:80; the node rewrites clients to 10.244.1.1."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.pod_logs.access import access
from workers.pod_logs.aligned import Aligned, Origin, aligned
from workers.pod_logs.pod_log import LogLine, PodLog, log_of
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange
from workers.summary.flow import Flow
from workers.summary.summary import Summary, Totals

FIRST = 1_700_000_000 * 10**9
POD = Endpoint("10.244.1.3", 80)
NODE = "10.244.1.1"
CLIENT, OTHER = Origin("192.168.1.35", 50001, "the uplink"), Origin("192.168.1.36", 50002, "the uplink")


def line(
    at: float, *, client: str = NODE, path: str = "/", status: int = 200, method: str = "GET"
) -> LogLine:
    text = f'{client} - - [23/Nov/2026:19:20:01 +0000] "{method} {path} HTTP/1.1" {status} 42 "-" "curl"'
    return LogLine(FIRST + int(at * 1e9), "cheese", text, access(text))


def asked(
    start: float,
    port: int = 40001,
    *,
    client: str = NODE,
    path: str = "/",
    status: int | None = 200,
    seconds: float = 0.01,
) -> HttpExchange:
    return HttpExchange(Endpoint(client, port), POD, port, start, "GET", "shop", path, status, seconds)


def flow(
    start: float, duration: float, port: int = 40001, *, client: str = NODE, answered: int = 100
) -> Flow:
    return Flow(
        "TCP", Endpoint(client, port), POD, 5, 500, 5, 500, start, duration,
        opened_by="a", payload_ab=80, payload_ba=answered, first_frame=port,
    )  # fmt: skip


def put(
    lines: list[LogLine],
    exchanges: list[HttpExchange] | None = None,
    flows: list[Flow] | None = None,
    origins: dict[Endpoint, Origin] | None = None,
) -> tuple[Aligned, ...]:
    summary = Summary(
        Totals(1, 1, FIRST, FIRST + 10**10), tuple(flows or ()), bool(exchanges), tuple(exchanges or ())
    )
    return aligned(PodLog("traefik", "cheddar", tuple(lines)), summary, {POD.address}, origins)


def test_a_line_is_put_to_its_request_and_to_who_it_was() -> None:
    (one,) = put([line(1.02)], [asked(1.0)], origins={Endpoint(NODE, 40001): CLIENT})
    assert (one.peer, one.frame, one.possible) == (Endpoint(NODE, 40001), 40001, 1)
    assert one.origin == CLIENT
    assert str(one.origin) == "192.168.1.35:50001"
    assert one.differs


def test_each_request_is_taken_once_and_in_its_order() -> None:
    requests = [asked(1.0, 40001), asked(1.3, 40002), asked(1.6, 40003)]
    found = put([line(1.02), line(1.32), line(1.62)], requests)
    assert [one.frame for one in found] == [40001, 40002, 40003]


def test_path_status_and_time_tell_requests_apart() -> None:
    requests = [asked(1.0, 1, path="/a"), asked(1.0, 2, status=500), asked(9.0, 3), asked(1.0, 4)]
    (one,) = put([line(1.02)], requests)
    assert (one.frame, one.possible) == (4, 1)


def test_a_line_is_not_put_to_a_request_that_came_after_it() -> None:
    found = put([line(1.01), line(1.02)], [asked(1.0, 1), asked(1.015, 2)])
    assert [(one.frame, one.possible) for one in found] == [(1, 1), (2, 1)]


def test_what_the_packets_do_not_hold_has_no_peer() -> None:
    for requests in ([asked(1.0, path="/b")], [asked(5.0)], [asked(1.0, status=404)]):
        (one,) = put([line(1.02)], requests)
        assert (one.peer, one.possible, one.origin, one.differs) == (None, 0, None, False)


def test_an_address_from_a_header_does_not_hide_the_proxy_that_asked() -> None:
    (one,) = put([line(1.02, client="203.0.113.9")], [asked(1.0, client="10.244.2.7")])
    assert one.peer == Endpoint("10.244.2.7", 40001)


def test_a_host_that_is_unknown_speaks_against_no_line() -> None:
    logged = {"remote_addr": NODE, "request": "GET / HTTP/1.1", "status": 200, "host": "shop"}
    text = json.dumps(logged)
    wanted = LogLine(FIRST + 1_020_000_000, "cheese", text, access(text))
    requests = [asked(1.01, 1), asked(1.0, 2)]
    for host, frame in (("…", 2), ("", 2), ("another", 1), ("shop", 2)):
        (one,) = put([wanted], [requests[0], requests[1]._replace(host=host)])
        assert one.frame == frame


def test_a_slow_answer_is_logged_when_it_was_sent() -> None:
    (one,) = put([line(4.0)], [asked(1.0, seconds=2.9)])
    assert one.possible == 1


def test_of_headers_the_only_connection_that_was_open_is_meant() -> None:
    flows = [flow(0.5, 0.1, 40001), flow(1.0, 0.1, 40002), flow(1.05, 0.1, 40003, client="10.244.2.2")]
    (one,) = put([line(1.02)], flows=flows, origins={Endpoint(NODE, 40002): CLIENT})
    assert (one.frame, one.possible, one.origin) == (40002, 1, CLIENT)


def test_a_probe_that_carries_nothing_is_no_request() -> None:
    (one,) = put([line(1.02)], flows=[flow(1.0, 0.1, answered=0)])
    assert one.possible == 0


def test_a_client_is_not_claimed_where_it_could_be_either() -> None:
    flows = [flow(1.0, 0.1, 40001), flow(1.0, 0.1, 40002)]
    known = {Endpoint(NODE, 40001): CLIENT}
    for origins in (known, known | {Endpoint(NODE, 40002): OTHER}):
        (one,) = put([line(1.02)], flows=flows, origins=origins)
        assert (one.possible, one.origin) == (2, None)


def test_a_client_is_claimed_where_it_is_the_same_in_any_case() -> None:
    flows = [flow(1.0, 0.1, 40001), flow(1.0, 0.1, 40002)]
    same = {Endpoint(NODE, 40001): CLIENT, Endpoint(NODE, 40002): CLIENT._replace(port=50009)}
    (one,) = put([line(1.02)], flows=flows, origins=same)
    assert one.origin == CLIENT._replace(port=None)
    assert str(one.origin) == "192.168.1.35"


def test_lines_of_a_capture_without_packets_stay() -> None:
    log = log_of("traefik", "cheddar", [line(1.0), LogLine(FIRST, "cheese", "ready")])
    assert [one.peer for one in aligned(log, Summary(Totals(), (), True), {POD.address})] == [None]


TIMES = st.floats(0, 20, allow_nan=False)


@given(st.lists(TIMES, max_size=20), st.lists(TIMES, max_size=20), st.lists(TIMES, max_size=20))
@settings(max_examples=examples(40))
def test_no_request_is_given_to_two_lines(
    logged: list[float], requested: list[float], connected: list[float]
) -> None:
    requests = [asked(start, port) for port, start in enumerate(requested, start=1)]
    flows = [flow(start, 0.1, port) for port, start in enumerate(connected, start=1000)]
    found = put([line(at) for at in logged], requests, flows)
    assert len(found) == len(logged)
    frames = [one.frame for one in found if one.exchange is not None]
    assert len(frames) == len(set(frames))
    for one in found:
        assert (one.peer is None) == (one.possible == 0)
        if one.exchange is not None:
            assert one.exchange.start - 0.1 <= (one.line.at - FIRST) / 1e9 <= one.exchange.start + 2
