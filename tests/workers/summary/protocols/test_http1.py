"""HTTP/1: the quick way for plain messages tells what the general one does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange
from workers.summary.protocols.http1 import Http1
from workers.summary.protocols.reader import Connection, Segment, nanoseconds

_CONNECTION = Connection(Endpoint("10.0.0.1", 40_000), Endpoint("10.0.0.2", 80))
_END = b"\r\n\r\n"
_HEADERS = [
    b"",
    b"\r\nHost: shop.example",
    b"\r\nhost:  user:pw@shop.example:81",
    b"\r\nHost:",
    b"\r\nAccept: */*\r\nHost: behind.example",
    b"\nHost: bare.example",
    b"\r\nContent-Length: 5",
]
_REQUESTS = st.builds(
    lambda method, target, headers, end, body: method + target + b" HTTP/1.1" + headers + end + body,
    st.sampled_from([b"GET ", b"POST ", b"BREW "]),
    st.sampled_from([b"/", b"/a?token=1", b"http://u:p@named.example/b", b"", b"/a b"]),
    st.sampled_from(_HEADERS),
    st.sampled_from([_END, b"\r\n", b"\n\n", b""]),
    st.sampled_from([b"", b"hello", b"GET /next HTTP/1.1\r\n\r\n"]),
)
_ANSWERS = st.builds(
    lambda status, headers, end, body: b"HTTP/1.1 " + status + headers + end + body,
    st.sampled_from(
        [b"200 OK", b"204\r", b"404 Not Found", b"100 Continue", b"101 Switching", b"999 ?", b""]
    ),
    st.sampled_from(_HEADERS),
    st.sampled_from([_END, b"\r\n", b"\n\n", b""]),
    st.sampled_from([b"", b"hello", b"HTTP/1.1 500 Oh\r\n\r\n", b"helloHTTP/1.1 500 Oh\r\n\r\n"]),
)
_SEGMENTS = st.lists(st.tuples(st.just(value=True), _REQUESTS) | st.tuples(st.just(value=False), _ANSWERS))


@settings(max_examples=examples(100))
@given(_SEGMENTS)
def test_a_plain_message_is_told_the_quick_way_as_it_is_the_general_way(
    segments: list[tuple[bool, bytes]],
) -> None:
    general, quick = Http1(_CONNECTION), Http1(_CONNECTION)
    theirs: list[HttpExchange] = []
    ours: list[HttpExchange] = []
    for frame, (from_client, payload) in enumerate(segments, 1):
        if general.done:
            break
        segment = Segment(from_client, payload, frame / 7, frame, gap=False)
        theirs += general.read(segment)
        message = quick.message(payload, frame / 7, frame, from_client=from_client)
        ours += quick.read(segment) if message is None else message
        assert (quick.done, quick.eager) == (general.done, general.eager)
    assert [*ours, *quick.end()] == [*theirs, *general.end()]


def test_a_plain_request_and_its_answer_go_the_quick_way() -> None:
    reader = Http1(_CONNECTION)
    asked = reader.message(b"GET /a HTTP/1.1\r\nHost: shop.example" + _END, 1.0, 1, from_client=True)
    answered = reader.message(b"HTTP/1.1 200 OK" + _END + b"hello", 1.25, 2, from_client=False)
    assert asked == ()
    assert answered == (HttpExchange(*_CONNECTION, 1, 1.0, "GET", "shop.example", "/a", 200, 0.25, "1.1"),)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: me:%s@shop.example" % (b"pw" * 200),
        b"GET http://me:%s@shop.example/ HTTP/1.1\r\nHost:" % (b"pw" * 3000),
    ],
)
def test_a_password_too_long_to_be_read_to_its_end_is_hidden(said: bytes) -> None:
    quick, general = Http1(_CONNECTION), Http1(_CONNECTION)
    assert quick.message(said + _END, 0.0, 1, from_client=True) == ()
    assert general.read(Segment(True, said + _END, 0.0, 1, gap=False)) == []
    (told,) = quick.end()
    assert [told] == list(general.end())
    assert (told.host, told.path) == ("…", "/" if b" / " in said else "")


@settings(max_examples=examples(200))
@given(st.integers(0, 10**16), st.integers(-(10**12), 10**12))
def test_a_difference_of_times_is_rounded_to_the_same_number_as_by_digits(begin: int, span: int) -> None:
    difference = (begin + span) / 1e9 - begin / 1e9
    assert nanoseconds(difference) == round(difference, 9)
