"""Failed requests that more than one tap saw."""

from dataclasses import replace

import pytest

from workers.several.findings import joined
from workers.several.same_requests import where_they_arrived
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Exchange, HttpExchange
from workers.summary.finding import Finding
from workers.summary.summary import Summary, Totals
from workers.vantage.comparison import Comparison
from workers.vantage.passage import Passage, Segment, Stop

CLIENT, SERVICE = Endpoint("10.244.1.7", 40000), Endpoint("10.96.0.9", 80)
PODS = [Endpoint(f"10.244.2.{number}", 8080) for number in range(3)]
NAMES = ["shop/client", "shop/web-0", "shop/web-1"]


def port(number: int) -> Endpoint:
    return CLIENT._replace(port=CLIENT.port + number)


def asked(server: Endpoint, *clients: int, status: int = 503) -> Summary:
    said: list[Exchange] = [
        HttpExchange(port(each), server, 1, 0.5, "GET", "shop", "/", status, 0.1) for each in clients
    ]
    return Summary(Totals(1, 60), (), payload=True, exchanges=tuple(said))


def failing(server: Endpoint, times: int) -> Finding:
    sentence = f"{server} answered {times} with 503."
    return Finding("http-server-error", "critical", sentence, {"times": times, "address": str(server)})


def passage(client: int, pod: int) -> Passage:
    ends = [(0, SERVICE), (pod + 1, PODS[pod])]
    stops = tuple(Stop(number, port(client), server, 1, 0, 1, 1) for number, server in ends)
    return Passage("TCP", stops, (Segment(False, True),))


def test_requests_that_failed_at_two_pods_of_a_service_are_told_there_and_name_the_client_that_saw_them() -> (
    None
):
    findings = [[failing(SERVICE, 3)], [failing(PODS[0], 2)], [failing(PODS[1], 7)]]
    summaries = [asked(SERVICE, 0, 1, 2), asked(PODS[0], 0, 1), asked(PODS[1], 2)]
    comparison = Comparison(passages=(passage(0, 0), passage(1, 0), passage(2, 1)))
    told, before = where_they_arrived(findings, summaries, comparison)
    assert told == [(), tuple(findings[1]), tuple(findings[2])]
    assert [one.sentence for one in joined(NAMES, told, {}, (), before)] == [
        f"At shop/web-{number}, and the same requests at shop/client: {finding.sentence}"
        for number, finding in ((1, findings[2][0]), (0, findings[1][0]))
    ]


@pytest.mark.parametrize(
    "summary",
    [asked(SERVICE, 0, 1, 2), None],
    ids=["one of them came to no tap that tells of it", "the client's packets were not read"],
)
def test_what_is_not_known_to_be_told_elsewhere_stays(summary: Summary | None) -> None:
    findings = [[failing(SERVICE, 3)], [failing(PODS[0], 2)], []]
    summaries = [summary, asked(PODS[0], 0, 1), None]
    comparison = Comparison(passages=(passage(0, 0), passage(1, 0), passage(2, 1)))
    told, before = where_they_arrived(findings, summaries, comparison)
    assert told == [tuple(some) for some in findings]
    assert not before


def test_other_answers_of_the_same_connections_do_not_count() -> None:
    well = asked(SERVICE, 5, status=200).exchanges
    summary = asked(SERVICE, 0)
    summary = replace(summary, exchanges=(*summary.exchanges, *well))
    findings = [[failing(SERVICE, 1)], [failing(PODS[0], 1)]]
    told, _ = where_they_arrived(findings, [summary, None], Comparison(passages=(passage(0, 0),)))
    assert told == [(), tuple(findings[1])]


def test_a_server_is_not_blamed_at_its_client_for_what_it_asked_elsewhere() -> None:
    """A proxy's own requests fail: its client's tap, which saw others, tells nothing of them."""
    findings = [[failing(SERVICE, 1)], [failing(PODS[2], 1)]]
    comparison = Comparison(passages=(passage(0, 0),))
    told, before = where_they_arrived(findings, [asked(SERVICE, 0), asked(PODS[2], 9)], comparison)
    assert (told, before) == ([tuple(some) for some in findings], {})


def test_errors_of_databases_are_matched_by_what_was_answered() -> None:
    def told_of(server: Endpoint, error: str) -> Finding:
        numbers: dict[str, float | int | str] = {"times": 1, "error": error, "address": str(server)}
        return Finding("call-failure", "warning", f"{server}: {error}.", numbers)

    call = CallExchange(port(0), SERVICE, 1, 0.5, "Redis", "GET", "OOM", 0.1)
    summary = replace(asked(SERVICE), exchanges=(call,))
    for error, left in (("OOM", 0), ("WRONGTYPE", 1)):
        findings = [[told_of(SERVICE, "OOM")], [told_of(PODS[0], error)]]
        told, _ = where_they_arrived(findings, [summary, None], Comparison(passages=(passage(0, 0),)))
        assert len(told[0]) == left


def test_words_that_both_taps_say_alike_are_left_to_be_said_once() -> None:
    same = failing(SERVICE, 1)
    stops = tuple(Stop(number, CLIENT, SERVICE, 1, 0, 1, 1) for number in (0, 1))
    comparison = Comparison(passages=(Passage("TCP", stops, (Segment(False, False),)),))
    told, before = where_they_arrived([[same], [same]], [asked(SERVICE, 0)] * 2, comparison)
    (once,) = joined(NAMES[:2], told, {}, (), before)
    assert once.sentence == same.sentence
