import struct

import pytest

from tests.workers.summary import packets
from workers.summary.endpoint import Endpoint
from workers.summary.event import Event
from workers.summary.protocols.icmp import errors
from workers.summary.protocols.lone import LonePackets
from workers.summary.protocols.reader import Lone

POD, DNS, ROUTER = "10.244.2.1", "10.96.0.10", "10.244.2.254"
POD6, PEER6, ROUTER6 = "2001:db8::1", "2001:db8::2", "fe80::1"
ASKED = packets.ipv4(POD, DNS, 17, packets.udp(40000, 53, b"hunter2secret"))


def error(kind: int, code: int, quote: bytes = ASKED, rest: bytes = bytes(4)) -> Event:
    message = bytes((kind, code, 0, 0)) + rest + quote
    (event,) = errors(Lone("icmp", ROUTER, POD, message, 1.5, 7))
    return event


def error_v6(kind: int, code: int, rest: bytes = bytes(4)) -> Event:
    quote = packets.ipv6(POD6, PEER6, 6, packets.tcp(40000, 80, b"hunter2secret"))
    message = bytes((kind, code, 0, 0)) + rest + quote
    (event,) = errors(Lone("icmpv6", ROUTER6, POD6, message, 1.5, 7))
    return event


def test_an_error_names_the_flow_it_is_about_and_who_reports_it() -> None:
    assert error(3, 3) == Event(
        "icmp-error",
        7,
        1.5,
        source=Endpoint(POD, 40000),
        target=Endpoint(DNS, 53),
        text="port unreachable",
        numbers={"type": 3, "code": 3, "protocol": 17},
        by=ROUTER,
    )


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        (3, 1, "host unreachable"),
        (3, 13, "communication administratively prohibited"),
        (3, 99, "destination unreachable"),
        (4, 0, "source quench"),
        (11, 0, "TTL exceeded in transit"),
        (12, 1, "parameter problem"),
    ],
)
def test_types_and_codes_are_said_in_words(kind: int, code: int, text: str) -> None:
    assert error(kind, code).text == text


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        (1, 0, "no route to destination"),
        (1, 4, "port unreachable"),
        (3, 0, "hop limit exceeded in transit"),
        (4, 0, "parameter problem"),
    ],
)
def test_types_and_codes_of_ipv6_are_said_in_words(kind: int, code: int, text: str) -> None:
    event = error_v6(kind, code)
    assert (event.text, event.source, event.target) == (text, Endpoint(POD6, 40000), Endpoint(PEER6, 80))


def test_the_mtu_of_the_next_hop_is_told() -> None:
    assert error(3, 4, rest=struct.pack(">HH", 0, 1450)).numbers["mtu"] == 1450
    assert error_v6(2, 0, struct.pack(">I", 1280)).numbers["mtu"] == 1280
    assert "mtu" not in error(3, 4).numbers
    assert "mtu" not in error(3, 3, rest=struct.pack(">HH", 0, 1450)).numbers


def test_a_quote_whose_checksum_is_wrong_is_read() -> None:
    assert error(11, 0, ASKED[:8] + b"\x01" + ASKED[9:]).target == Endpoint(DNS, 53)


def test_a_quote_that_was_cut_is_read_as_far_as_it_reaches() -> None:
    assert error(3, 3, ASKED[:20]).target == Endpoint(DNS, 0)
    assert error(3, 3, ASKED[:19]).target is None
    assert error(3, 3, b"").numbers == {"type": 3, "code": 3}


def test_what_is_no_error_is_no_event() -> None:
    for kind in (0, 5, 8, 13):
        assert list(errors(Lone("icmp", POD, DNS, bytes((kind, 0)) + bytes(60), 0.0, 1))) == []
    for kind in (128, 129, 135, 143):
        assert list(errors(Lone("icmpv6", POD6, PEER6, bytes((kind, 0)) + bytes(60), 0.0, 1))) == []
    assert list(LonePackets().read(Lone("icmp", POD, DNS, b"\3\3", 0.0, 1))) == []
