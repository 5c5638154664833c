from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange, HttpExchange, TlsExchange
from workers.summary.protocols.exchanges import FIELDS, Exchanges, Message

CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 80)


def message(
    frame: int, *, back: bool = False, seconds: float = 0.0, udp: bool = False, **values: str
) -> Message:
    """Fields with `_` for `.`; `__` for `_`."""
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    transport = "udp" if udp else "tcp"
    fields = {
        "frame.number": [str(frame)],
        "frame.time_relative": [str(seconds)],
        "ip.src": [source.address],
        "ip.dst": [target.address],
        f"{transport}.srcport": [str(source.port)],
        f"{transport}.dstport": [str(target.port)],
        f"{transport}.stream": ["0"],
    }
    named = {
        name.replace("__", "\0").replace("_", ".").replace("\0", "_"): [value]
        for name, value in values.items()
    }
    return fields | named


def exchanges_of(*messages: Message) -> list[Any]:
    said = Exchanges()
    for each in messages:
        said.add(each)
    return list(said.result())


def request(frame: int, uri: str, **more: Any) -> Message:
    return message(frame, http_request_method="GET", http_request_uri=uri, http_host="cheddar", **more)


def test_answers_find_their_requests_in_the_order_of_the_connection() -> None:
    found = exchanges_of(
        request(1, "/one", seconds=1.0),
        request(2, "/two", seconds=1.5),
        message(3, back=True, seconds=2.0, http_response_code="100"),  # an interim answer answers nothing
        message(4, back=True, seconds=2.25, http_response_code="200"),
        message(5, back=True, seconds=4.0, http_response_code="503"),
        message(6, back=True, seconds=5.0, http_response_code="200"),  # to something before the capture
    )
    assert found == [
        HttpExchange(CLIENT, SERVER, 1, 1.0, "GET", "cheddar", "/one", 200, 1.25),
        HttpExchange(CLIENT, SERVER, 2, 1.5, "GET", "cheddar", "/two", 503, 2.5),
    ]


def test_requests_in_one_packet_are_told_apart() -> None:
    both = {
        **message(1),
        "http.request.method": ["GET", "PUT"],
        "http.request.uri": ["/one", "/two"],
        "http.host": ["a", "b"],
    }
    found = exchanges_of(both)
    assert [(each.method, each.host, each.path) for each in found] == [
        ("GET", "a", "/one"),
        ("PUT", "b", "/two"),
    ]


def test_the_host_of_an_absolute_target_stands_in_without_its_user() -> None:
    absolute = message(
        1, http_request_method="GET", http_request_uri="http://u:hunter2@h.example/p?q=hunter2"
    )
    (found,) = exchanges_of(absolute)
    assert (found.host, found.path) == ("h.example", "/p?…")


def dns(frame: int, *, back: bool = False, rcode: str = "0", identity: str = "0x1", **more: Any) -> Message:
    return message(
        frame,
        back=back,
        udp=True,
        dns_id=identity,
        dns_flags_response="1" if back else "0",
        dns_flags_rcode=rcode,
        dns_qry_name="cheddar.traefik.svc",
        dns_qry_type="28",
        **more,
    )


def test_a_repeated_question_is_one_that_waited_longer() -> None:
    found = exchanges_of(dns(1, seconds=1.0), dns(2, seconds=6.0), dns(3, back=True, seconds=6.5, rcode="3"))
    assert found == [DnsExchange(CLIENT, SERVER, 1, 1.0, "cheddar.traefik.svc", "AAAA", "NXDOMAIN", 5.5)]


def test_an_answer_to_another_question_answers_nothing() -> None:
    (found,) = exchanges_of(dns(1), dns(2, back=True, identity="0x2"))
    assert (found.rcode, found.seconds) == (None, None)


def test_a_handshake_has_the_servers_version_and_its_alerts() -> None:
    hello = {
        **message(1, seconds=1.0),
        "tls.handshake.type": ["1"],
        "tls.handshake.extensions_server_name": ["cheddar.example"],
        "tls.handshake.extensions.supported_version": ["0x0304", "0x0303"],
    }
    answer = {
        **message(2, back=True, seconds=1.5),
        "tls.handshake.type": ["2"],
        "tls.handshake.version": ["0x0303"],
        "tls.handshake.extensions.supported_version": ["0x0304"],
    }
    alert = {**message(3, seconds=2.0), "tls.alert_message.desc": ["48"]}
    closing = {**message(4), "tls.alert_message.desc": ["0"]}
    assert exchanges_of(hello, answer, alert, closing) == [
        TlsExchange(CLIENT, SERVER, 1, 1.0, "cheddar.example", "TLS 1.3", 0.5, ("unknown_ca",))
    ]


@pytest.mark.parametrize("left_out", ["frame.number", "ip.src", "tcp.dstport"])
def test_a_message_that_lacks_what_it_takes_is_passed_over(left_out: str) -> None:
    whole = dict(request(1, "/"))
    del whole[left_out]
    assert exchanges_of(whole) == []


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(sorted(FIELDS)),
            st.lists(st.sampled_from(["0", "1", "2", "28", "0x0304", "/x", "name"]), max_size=3),
        ),
        max_size=8,
    )
)
def test_nonsense_is_a_value_error_at_most(messages: list[Message]) -> None:
    said = Exchanges()
    for each in messages:
        try:
            said.add(each)
        except ValueError:
            continue
    assert len(said.result()) <= 3 * len(messages)
