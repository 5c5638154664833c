import json

from hypothesis import given
from hypothesis import strategies as st

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange, HttpExchange, TlsExchange
from workers.summary.flow import Flow, Tunnel
from workers.summary.summary import Summary, Totals

PORTS = st.integers(0, 65535)
ENDPOINTS = st.one_of(
    st.builds(Endpoint.packed, st.binary(min_size=4, max_size=4), PORTS),
    st.builds(Endpoint.packed, st.binary(min_size=16, max_size=16), PORTS),
)
NUMBERS = st.integers(0, 1 << 60)
SECONDS = st.floats(0, 1e6)
FLOWS = st.builds(
    Flow,
    st.sampled_from(["TCP", "UDP"]),
    ENDPOINTS,
    ENDPOINTS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    SECONDS,
    SECONDS,
    st.sampled_from(["a", "b", None]),
    st.none() | SECONDS,
    resets_ba=NUMBERS,
    closed_by=st.sampled_from(["a", "b", None]),
    vlan=st.none() | st.integers(0, 4095),
    tunnel=st.none() | st.builds(Tunnel, st.just("vxlan"), NUMBERS, st.just("10.0.0.1"), st.just("::1")),
)
TEXT = st.text(max_size=20)
EXCHANGES = st.one_of(
    st.builds(
        HttpExchange,
        ENDPOINTS,
        ENDPOINTS,
        NUMBERS,
        SECONDS,
        TEXT,
        TEXT,
        TEXT,
        st.none() | NUMBERS,
        st.none() | SECONDS,
    ),
    st.builds(
        DnsExchange, ENDPOINTS, ENDPOINTS, NUMBERS, SECONDS, TEXT, TEXT, st.none() | TEXT, st.none() | SECONDS
    ),
    st.builds(
        TlsExchange,
        ENDPOINTS,
        ENDPOINTS,
        NUMBERS,
        SECONDS,
        TEXT,
        st.none() | TEXT,
        st.none() | SECONDS,
        st.lists(TEXT, max_size=3).map(tuple),
    ),
)
SUMMARIES = st.builds(
    Summary,
    st.builds(Totals, NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS, icmp=NUMBERS),
    st.lists(FLOWS, max_size=4).map(tuple),
    st.booleans(),
    st.lists(EXCHANGES, max_size=4).map(tuple),
    st.lists(TEXT, max_size=3).map(tuple),
)


@given(SUMMARIES)
def test_a_summary_survives_json(summary: Summary) -> None:
    assert Summary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


@given(SUMMARIES)
def test_the_pieces_of_a_summary_are_the_text_of_its_json(summary: Summary) -> None:
    text = "".join(summary.json_pieces())
    assert text == json.dumps(summary.to_json(), separators=(",", ":"))
    assert text.isascii()


@given(ENDPOINTS)
def test_an_endpoint_survives_text(endpoint: Endpoint) -> None:
    assert Endpoint.parse(str(endpoint)) == endpoint


def test_endpoints_are_written_as_wireshark_users_know_them() -> None:
    assert str(Endpoint.packed(b"\x0a\xf4\x02\x02", 80)) == "10.244.2.2:80"
    assert str(Endpoint.packed(b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01", 443)) == "[2001:db8::1]:443"


def test_the_json_of_a_flow_names_its_ends_and_counts() -> None:
    flow = Flow("TCP", Endpoint("10.0.0.1", 40000), Endpoint("::1", 80), 5, 500, 4, 400, 0.5, 1.25)
    written = Summary(Totals(9, 900), (flow,), payload=False).to_json()
    assert written["version"] == 2
    assert written["payload"] is False
    expected = {
        "protocol": "TCP",
        "a": "10.0.0.1:40000",
        "b": "[::1]:80",
        "packets_ab": 5,
        "bytes_ab": 500,
        "packets_ba": 4,
        "bytes_ba": 400,
        "start": 0.5,
        "duration": 1.25,
    }
    assert written["flows"] == [expected]


def test_a_digest_keeps_the_busiest_flows_and_says_how_many_there_are() -> None:
    ends = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 80)
    flows = tuple(Flow("TCP", *ends, 1, size, 0, 0, 0.0, 0.0) for size in (100, 300, 200))
    digest = Summary(Totals(3, 600), flows, payload=False).digest(flows=2)
    assert [flow.bytes for flow in digest.flows] == [300, 200]
    assert digest.flow_count == 3
