from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.summary.test_summary import FLOWS, SUMMARIES
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange, Exchange, HttpExchange, TlsExchange
from workers.summary.flow import Flow
from workers.summary.summary import Summary, Totals
from workers.summary.table import WIDTH, flow_table, said_lines, shortened, span

CLIENT, SERVER = Endpoint("10.244.2.1", 40000), Endpoint("10.244.2.2", 80)
WEB = Flow("TCP", CLIENT, SERVER, 5, 511, 6, 499, 3.7, 0.0009)


def summary(*flows: Flow, exchanges: tuple[Exchange, ...] = (), **totals: int) -> Summary:
    counted = Totals(
        packets=sum(flow.packets for flow in flows),
        bytes=sum(flow.bytes for flow in flows),
        first=0,
        last=8 * 10**9,
    )
    return Summary(replace(counted, **totals), flows, payload=True, exchanges=exchanges)


def http(
    path: str = "/x", status: int | None = 200, seconds: float | None = 0.003, host: str = "cheddar"
) -> HttpExchange:
    return HttpExchange(CLIENT, SERVER, 1, 0.0, "GET", host, path, status, seconds)


def test_the_table_shows_the_client_first_and_the_busiest_flow_on_top() -> None:
    reset = WEB._replace(a=SERVER, b=Endpoint("10.10.0.11", 6923), opened_by="b", bytes_ab=9000, resets_ba=1)
    refused = WEB._replace(a=Endpoint("10.244.2.3", 79), packets_ba=0, bytes_ba=0, opened_by="a")
    table = flow_table(summary(WEB, reset, refused, icmp=2, arp=1))
    assert table.splitlines() == [
        "    client           server        packets     bytes   time",
        "TCP 10.10.0.11:6923  10.244.2.2:80      11    9.5 kB 0.9 ms reset",
        "TCP 10.244.2.1:40000 10.244.2.2:80      11    1.0 kB 0.9 ms",
        "TCP 10.244.2.3:79    10.244.2.2:80       5 511 bytes 0.9 ms one way",
        "3 flows, 27 packets, 11 kB in 8.0 s",
        "of these 1 ARP, 2 ICMP in no flow",
    ]


def test_flows_beyond_the_limit_are_counted() -> None:
    table = flow_table(summary(*[WEB] * 20), limit=15).splitlines()
    assert len(table) == 1 + 15 + 2
    assert table[-2:] == ["… and 5 more", "20 flows, 220 packets, 20 kB in 8.0 s"]


@pytest.mark.parametrize(
    ("totals", "sentence"),
    [
        (Totals(), "There is no packet in the file."),
        (
            Totals(3, 126, 0, 2 * 10**9, arp=2, icmp=1),
            "There is no TCP or UDP flow in 3 packets (126 bytes in 2.0 s): 2 ARP, 1 ICMP.",
        ),
    ],
)
def test_without_flows_one_sentence_stands_in_the_place_of_the_table(totals: Totals, sentence: str) -> None:
    assert flow_table(Summary(totals, (), payload=True)) == sentence


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (30, "traefik/cheddar-…zcdjm:80"),
        (20, "traefik/che…zcdjm:80"),
        (14, "traef…zcdjm:80"),
        (10, "traef…m:80"),
    ],
)
def test_what_tells_pods_apart_stays_however_short_their_names_are(room: int, text: str) -> None:
    assert shortened("traefik/cheddar-…zcdjm:80", room) == text


def test_long_addresses_are_cut_in_their_middle_so_that_the_port_stays() -> None:
    long = WEB._replace(a=Endpoint("2001:db8:1111:2222:3333:4444:5555:6666", 40000))
    row = flow_table(summary(long)).splitlines()[1]
    assert len(row) <= WIDTH
    assert row.startswith("TCP [2001:db8:")
    assert "…" in row
    assert ":40000 10.244.2.2:80 " in row


@given(st.lists(FLOWS, max_size=30))
def test_no_line_of_the_table_is_wider_than_it_may_be(flows: list[Flow]) -> None:
    modest = [
        flow._replace(
            **{
                name: getattr(flow, name) % 10**9
                for name in ("packets_ab", "packets_ba", "bytes_ab", "bytes_ba")
            },
        )
        for flow in flows
    ]
    assert all(len(line) <= WIDTH for line in flow_table(summary(*modest)).splitlines()[:-2])


@given(SUMMARIES)
def test_any_summary_can_be_shown(any_summary: Summary) -> None:
    assert flow_table(any_summary)
    assert len(said_lines(any_summary, limit=2)) <= 3


def test_what_reads_the_same_is_one_line_with_the_median() -> None:
    exchanges = (http(seconds=0.001), http(seconds=0.003), http(seconds=0.02), http("/y?…"))
    assert said_lines(summary(exchanges=exchanges)) == [
        "3 × `GET cheddar/x` → 200, 3.0 ms median",  # noqa: RUF001, the sign for how many times
        "`GET cheddar/y?…` → 200, 3.0 ms",
    ]


def test_failures_stand_first() -> None:
    name = DnsExchange(CLIENT, SERVER, 1, 0.0, "cheddar.traefik", "A", "NXDOMAIN", 0.002)
    good = DnsExchange(CLIENT, SERVER, 1, 0.0, "cheddar", "A", "NOERROR", 0.002)
    silent = good._replace(rcode=None, seconds=None)
    tls = TlsExchange(CLIENT, SERVER, 1, 0.0, "cheddar.example", "TLS 1.3", 0.01, ())
    alert = TlsExchange(CLIENT, SERVER, 1, 0.0, "", None, None, ("unknown_ca",))
    exchanges = (
        http(),
        http(),
        good,
        name,
        tls,
        alert,
        silent,
        http(status=None, seconds=None),
        http(status=503),
    )
    assert said_lines(summary(exchanges=exchanges)) == [
        "DNS `A cheddar.traefik` → NXDOMAIN, 2.0 ms",
        "TLS `10.244.2.2:80` → alert unknown_ca",
        "DNS `A cheddar` → no answer",
        "`GET cheddar/x` → no answer",
        "`GET cheddar/x` → 503, 3.0 ms",
        "2 × `GET cheddar/x` → 200, 3.0 ms median",  # noqa: RUF001
        "DNS `A cheddar` → NOERROR, 2.0 ms",
        "TLS `cheddar.example` → TLS 1.3, 10 ms",
    ]


def test_lines_beyond_the_limit_are_counted() -> None:
    lines = said_lines(summary(exchanges=tuple(http(f"/{number}") for number in range(14))), limit=10)
    assert (len(lines), lines[-1]) == (11, "… and 4 more")


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel>",
        "<@U123|you>",
        "*bold* _x_ ~y~",
        "`code` ```fence```",
        "a\nb\r\n\x1b[31m\u202e",
        "https://evil.example/x",
        "&lt;!here&gt;",
        "A" * 100_000,
    ],
)
def test_text_from_packets_has_no_power_over_the_message(hostile: str) -> None:
    exchanges = (
        http("/" + hostile, host=hostile),
        DnsExchange(CLIENT, SERVER, 1, 0.0, hostile, "A", "NOERROR", 0.1),
        TlsExchange(CLIENT, SERVER, 1, 0.0, hostile, "TLS 1.3", 0.1, ()),
    )
    for line in said_lines(summary(exchanges=exchanges)):
        assert len(line) < 600
        assert line.count("`") == 2
        assert not {"<", "\n", "\r", "\x1b", "\u202e"} & set(line)
        assert "://" not in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 ms"),
        (0.00004, "40 µs"),
        (0.0000994, "99 µs"),
        (0.0000996, "0.1 ms"),
        (0.0009, "0.9 ms"),
        (0.00994, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (119.9, "119.9 s"),
        (300, "5 min"),
    ],
)
def test_times_are_written_with_the_digits_that_matter(seconds: float, text: str) -> None:
    assert span(seconds) == text
