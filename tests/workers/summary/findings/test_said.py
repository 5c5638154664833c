"""Findings about what was said that is costly to say in packets: gRPC, certificates, databases. And "
"hostile text."""

import re
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hangs import HANGS
from tests.workers.summary.findings.cases import hello
from tests.workers.summary.findings.wire import START, Wire, ids
from tests.workers.summary.speech import Dialogue, tls
from workers.summary.context import Context
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, Certificate, Exchange, Group, HttpExchange, TlsExchange
from workers.summary.finding import Finding
from workers.summary.findings.explained import explained
from workers.summary.summarise import summarise
from workers.summary.summary import Summary, Totals

CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 443)
DAY = 86_400


def said(exchanges: Iterable[Exchange] = (), groups: Iterable[Group] = ()) -> list[Finding]:
    summary = Summary(
        Totals(packets=1, first=START * 10**9, last=(START + 60) * 10**9),
        (),
        payload=True,
        exchanges=tuple(exchanges),
        groups=tuple(groups),
    )
    return list(explained(summary, Context()).findings)


def call(status: int) -> HttpExchange:
    return HttpExchange(
        CLIENT, SERVER, 5, 1.0, "POST", "shop", "/shop.Cart/Add", 200, 0.1, "2", grpc_status=status
    )


def test_a_grpc_call_that_failed_is_named_with_its_method_and_status() -> None:
    (finding,) = said([call(0), call(14), call(14)])
    assert (finding.id, finding.severity, finding.frame) == ("grpc-failure", "critical", 5)
    assert finding.sentence == (
        "`10.0.0.2:443` ended 2 of 3 gRPC calls with UNAVAILABLE (14): `/shop.Cart/Add`, from `10.0.0.1`."
    )


@pytest.mark.parametrize("status", [0, 1, 5, 6, 11])
def test_grpc_statuses_that_are_ordinary_answers_are_no_failures(status: int) -> None:
    assert said([call(status)] * 3) == []


def shaken(begins: float, expires: float) -> list[Finding]:
    certificate = Certificate(("shop.example",), "CA", int(START + begins * DAY), int(START + expires * DAY))
    return said(
        [TlsExchange(CLIENT, SERVER, 4, 0.0, "shop.example", "1.2", 0.01, (), certificate=certificate)]
    )


def test_a_certificate_that_expired_before_the_capture_is_critical_whenever_it_is_read() -> None:
    (finding,) = shaken(-90, -2)
    assert (finding.id, finding.severity) == ("tls-certificate", "critical")
    assert "expired 2.0 days before this capture, at 2023-11-12 22:13 UTC" in finding.sentence


def test_a_certificate_that_expires_within_two_weeks_is_a_warning() -> None:
    (finding,) = shaken(-80, 10)
    assert finding.severity == "warning"
    assert finding.numbers["days_left"] == 10


def test_a_certificate_that_is_not_valid_yet_points_at_clocks() -> None:
    (finding,) = shaken(1, 90)
    assert finding.severity == "critical"
    assert "clocks" in finding.next


def test_certificates_with_time_left_and_short_lived_ones_are_no_news() -> None:
    assert shaken(-60, 30) == shaken(-0.5, 0.5) == []


def answered(service: str, error: str, times: int) -> Group:
    return Group(service, "SELECT", error, True, times, 9, SERVER)


def test_errors_that_clients_of_databases_live_with_are_told_only_when_they_are_many() -> None:
    unique = "ERROR 23505 (unique_violation)"
    assert said(groups=[answered("PostgreSQL", unique, 3), answered("Redis", "MOVED", 3)]) == []
    assert ids(said(groups=[answered("PostgreSQL", unique, 40)])) == {"call-failure"}


def test_a_database_without_room_is_critical() -> None:
    (finding,) = said(groups=[answered("PostgreSQL", "FATAL 53300 (too_many_connections)", 1)])
    assert finding.severity == "critical"
    assert finding.sentence.endswith(
        "answered `FATAL 53300 (too_many_connections)` to 1 of 1 call, `SELECT`: it has no connection left."
    )


def test_who_called_a_database_in_vain_is_named() -> None:
    error = "FATAL 28P01 (invalid_password)"
    call = CallExchange(CLIENT, SERVER, 9, 0.0, "PostgreSQL", "startup", error, 0.01)
    (finding,) = said([call], [answered("PostgreSQL", error, 1)])
    assert finding.sentence.endswith(", `SELECT`, from `10.0.0.1`: the password is wrong.")
    assert "Secret" in finding.next


def test_the_filter_of_a_databases_error_shows_that_error() -> None:
    server = Endpoint("10.0.0.2", 5432)
    group = Group("PostgreSQL", "startup", "FATAL 28P01 (invalid_password)", True, 1, 9, server)
    (finding,) = said(groups=[group])
    assert 'pgsql.code == "28P01"' in finding.display_filter


def test_an_error_whose_code_is_no_plain_word_stands_in_no_filter() -> None:
    (finding,) = said(groups=[Group("Redis", "GET", 'X" || ip', True, 1, 9, Endpoint("10.0.0.2", 6379))])
    assert '"' not in finding.display_filter


def test_a_handshake_that_failed_for_a_date_is_told_with_the_certificate_and_once() -> None:
    certificate = Certificate(("shop.example",), "CA", int(START - 90 * DAY), int(START - 2 * DAY))
    alerts = ("certificate_expired",)
    failed = TlsExchange(CLIENT, SERVER, 4, 0.0, "shop.example", "1.2", 0.01, alerts, None, certificate)
    (finding,) = said([failed])
    assert finding.id == "tls-certificate"
    assert finding.sentence.endswith("; 1 handshake failed for it with `certificate_expired`.")


@pytest.mark.parametrize(
    ("asked", "names", "lacks"),
    [
        ("nope.example", ("shop.example",), True),
        ("a.b.shop.example", ("*.shop.example",), True),
        ("SHOP.example.", ("shop.example",), False),
        ("a.shop.example", ("*.shop.example",), False),
        ("", ("shop.example",), False),
        ("shop.example", ("spiffe",), False),
        ("nope.example", tuple(f"{each}.example" for each in range(20)), False),
    ],
)
def test_a_certificate_without_the_name_that_was_asked_for_is_told(
    asked: str, names: tuple[str, ...], lacks: bool
) -> None:
    certificate = Certificate(names, "CA", int(START - DAY), int(START + 90 * DAY))
    found = said([TlsExchange(CLIENT, SERVER, 4, 0.0, asked, "1.2", 0.01, (), None, certificate)])
    assert [finding.severity for finding in found] == ["warning"] * lacks
    if lacks:
        assert f"asked for `{asked}` by `10.0.0.1`, and its certificate is for `{names[0]}` only" in (
            found[0].sentence
        )


HOSTILE = "<!channel> `*x*` <https://evil.example|click> \u202e\x1b[31m"


def _is_inert(finding: Finding) -> bool:
    text = finding.sentence + finding.next + "".join(map(str, finding.numbers.values()))
    return not any(bad in text for bad in ("<", ">", "\x1b", "\u202e", "://", "\n"))


def test_text_from_packets_is_inert_and_cut_in_every_sentence() -> None:
    wire = Wire()
    wire.tcp().get("/" + "<!channel>" * 100, status=503, host=HOSTILE.replace("\x1b", "")).close()
    wire.tcp(443).says(hello(HOSTILE)).hears(b"\x15\x03\x03\x00\x02\x02\x30").close()
    wire.dns("<!channel>.`x`", 2).dns("a" * 60 + "." + "\x1b[31m" * 10, 3).dns("<!here>", None, tries=3)
    findings = wire.findings()
    assert {"http-server-error", "tls-failure", "dns-failure", "dns-unanswered"} <= ids(findings)
    for finding in findings:
        assert _is_inert(finding)
        assert len(finding.sentence) < 1000


@settings(max_examples=examples(30), deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_host_or_path_makes_a_sentence_that_acts_or_a_filter_that_is_more(host: str, path: str) -> None:
    exchange = HttpExchange(CLIENT, SERVER, 1, 0.0, "GET", host, path, 503, 0.1, "2", grpc_status=13)
    group = Group("HTTP", f"GET {host}{path}", "503", True, 1, 1, SERVER)
    for finding in said([exchange], [group]):
        assert _is_inert(finding)
        assert finding.display_filter.isascii()
        assert finding.display_filter.isprintable()


def test_clients_of_failed_requests_are_named_without_a_number_that_is_none_of_requests() -> None:
    clients = [CLIENT, CLIENT, Endpoint("10.244.9.9", 40000)]
    exchanges = [
        HttpExchange(client, SERVER, number + 1, 0.0, "GET", "web", "/", 503, 0.1)
        for number, client in enumerate(clients)
    ]
    (finding,) = said(exchanges, [Group("HTTP", "GET web/", "503", True, 12, 1, SERVER)])
    assert "answered 12 of 12 HTTP requests" in finding.sentence
    assert re.search(r", from `[^`(]+` and `[^`(]+`\.$", finding.sentence), finding.sentence


SECRETS = ("s3cr3t-Bearer-9f8e7d6c5b4a", "hunter2hunter2", "AKIAIOSFODNN7EXAMPLE")


def test_planted_secrets_are_in_no_finding() -> None:
    wire = Wire()
    request = (
        f"GET /login?token={SECRETS[0]}&password={SECRETS[1]} HTTP/1.1\r\nHost: u:{SECRETS[1]}@web\r\n"
        f"Authorization: Bearer {SECRETS[0]}\r\nCookie: id={SECRETS[2]}\r\n\r\n"
    )
    wire.tcp().says(request.encode()).hears(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n").close()
    asked = f"*2\r\n$4\r\nAUTH\r\n${len(SECRETS[1])}\r\n{SECRETS[1]}\r\n".encode()
    wire.tcp(6379).says(asked).hears(f"-WRONGPASS {SECRETS[1]} is wrong\r\n".encode()).close()
    findings = wire.findings()
    assert {"http-server-error", "call-failure"} <= ids(findings)
    told = repr([finding.to_json() for finding in findings])
    assert not any(secret in told for secret in SECRETS)


def test_a_certificate_is_judged_where_packets_are_read_and_wireshark_shows_it(tmp_path: Path) -> None:
    """A real handshake, whose certificate begins years after the capture."""
    dialogue = Dialogue()
    version = ssl.TLSVersion.TLSv1_2
    tls(dialogue.connect(server_port=443), tmp_path, "shop.example", most=version, least=version)
    path = tmp_path / "capture.pcap"
    path.write_bytes(dialogue.file())
    (finding,) = (each for each in summarise(path, payload=True).findings if each.id == "tls-certificate")
    assert "is not valid before" in finding.sentence
    shown = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y", finding.display_filter, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGS,
    )
    assert shown.stdout.split()[0] == str(finding.frame)
    assert len(shown.stdout.split()) == 2
