import pytest
from hpack import Encoder

from tests.workers.summary.protocols.frames import (
    GET,
    OPENING,
    SETTINGS_FRAME,
    data,
    frame,
    goaway,
    headers,
    reset,
)
from tests.workers.summary.protocols.talk import CLIENT, SERVER, Talk, Turn, hears, outcome, pieces, says
from workers.summary.exchange import Exchange, HttpExchange
from workers.summary.protocols.http2 import Http2
from workers.summary.protocols.http2_frames import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PRIORITISED,
    PUSH,
    look_like_frames,
)

RPC = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/shop.v1.OrderService/ListOrdersByCustomerAndRegion"),
    (":authority", "orders:50051"),
    ("content-type", "application/grpc"),
    ("authorization", "Bearer hunter2secret"),
)
ANSWER = (":status", "200"), ("content-type", "application/grpc")


def exchanges(told: list[Exchange]) -> list[HttpExchange]:
    return [each for each in told if isinstance(each, HttpExchange)]


def only(told: list[Exchange]) -> HttpExchange:
    (found,) = exchanges(told)
    return found


def test_a_request_has_its_status_and_latency() -> None:
    client, server = Encoder(), Encoder()
    told = Talk(
        [
            says(OPENING + headers(client, 1, GET, end=True)),
            hears(SETTINGS_FRAME + headers(server, 1, [(":status", "503")]) + data(1, b"x" * 40_000)),
            hears(data(1, b"x", end=True)),
        ]
    ).told(Http2)
    assert told == [
        HttpExchange(CLIENT, SERVER, 1, 0.001, "GET", "cheddar", "/healthz", 503, pytest.approx(0.001), "2")
    ]


def test_a_call_of_grpc_has_its_method_and_status() -> None:
    client, server = Encoder(), Encoder()
    trailers = [("grpc-status", "14"), ("grpc-message", "hunter2secret")]
    told = Talk(
        [
            says(OPENING + headers(client, 1, RPC) + data(1, b"\0\0\0\0\3abc", end=True)),
            hears(headers(server, 1, ANSWER)),
            hears(headers(server, 1, trailers, end=True)),
        ]
    ).told(Http2)
    call = only(told)
    assert (call.path, call.status, call.grpc_status) == (
        "/shop.v1.OrderService/ListOrdersByCustomerAndRegion",
        200,
        14,
    )
    assert call.seconds == pytest.approx(0.001)
    assert "hunter2secret" not in repr(told)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a?token=hunter2secret", "/a?…"),
        ("/token/hunter2secret", "/token/…"),
        ("/x/kD83hfa7Ghs83kfjT5s", "/x/…"),
        ("/a\n<!channel>", "/a�<!channel>"),
    ],
)
def test_a_path_is_shown_without_secrets(path: str, shown: str) -> None:
    fields = [(":method", "GET"), (":path", path), (":authority", "user:hunter2secret@a")]
    told = Talk([says(OPENING + headers(Encoder(), 1, fields, end=True))]).told(Http2)
    assert only(told).path == shown
    assert only(told).host == "a"


def test_what_looks_like_no_name_is_hidden_in_a_path_of_grpc() -> None:
    fields = [
        (":method", "POST"),
        (":path", "/x.Y/kD83hfa7Ghs83kfjT5s"),
        ("content-type", "application/grpc"),
    ]
    assert only(Talk([says(OPENING + headers(Encoder(), 1, fields))]).told(Http2)).path == "/x.Y/…"


def test_many_streams_at_once_each_find_their_answer() -> None:
    client, server = Encoder(), Encoder()
    ids = range(1, 41, 2)
    asked = b"".join(headers(client, each, [*GET[:2], (":path", f"/{each}")], end=True) for each in ids)
    said = b"".join(headers(server, each, [(":status", str(200 + each))], end=True) for each in reversed(ids))
    told = exchanges(Talk([says(OPENING + asked), hears(said)]).told(Http2))
    assert {(each.path, each.status) for each in told} == {(f"/{each}", 200 + each) for each in ids}


def test_padding_priority_and_continuation_are_read() -> None:
    encoded = Encoder().encode(GET)
    first = frame(HEADERS, 1, b"\4" + bytes(5) + encoded[:3] + bytes(4), PADDED | PRIORITISED | END_STREAM)
    rest = frame(CONTINUATION, 1, encoded[3:6]) + frame(CONTINUATION, 1, encoded[6:], END_HEADERS)
    assert only(Talk([says(OPENING + first + rest)]).told(Http2)).path == "/healthz"


def test_a_push_promise_belongs_to_the_servers_headers() -> None:
    client, server = Encoder(), Encoder()
    promise = frame(PUSH, 1, b"\0\0\0\2" + server.encode([*GET, ("x-new", "entry")]), END_HEADERS)
    answer = headers(server, 1, [(":status", "418"), ("x-new", "entry")], end=True)
    told = Talk([says(OPENING + headers(client, 1, GET)), hears(promise + answer)]).told(Http2)
    assert only(told).status == 418


def test_an_informational_answer_is_not_the_answer() -> None:
    server = Encoder()
    answers = headers(server, 1, [(":status", "103")]) + headers(server, 1, [(":status", "404")], end=True)
    told = Talk([says(OPENING + headers(Encoder(), 1, GET)), hears(answers)]).told(Http2)
    assert only(told).status == 404


@pytest.mark.parametrize(("client", "code", "name"), [(True, 8, "CANCEL"), (False, 7, "REFUSED_STREAM")])
def test_a_reset_stream_has_the_errors_name(client: bool, code: int, name: str) -> None:
    turns: list[Turn] = [
        says(OPENING + headers(Encoder(), 1, GET)),
        (client, reset(1, code)),
    ]
    call = only(Talk(turns).told(Http2))
    assert (call.error, call.status, call.unread) == (name, None, False)


def test_going_away_has_the_errors_name_and_not_its_words() -> None:
    told = Talk([says(OPENING), hears(SETTINGS_FRAME + goaway(11, b"hunter2secret"))]).told(Http2)
    assert told == [
        HttpExchange(
            CLIENT, SERVER, 2, 0.002, "GOAWAY", "", "", None, None, "2", error="GOAWAY ENHANCE_YOUR_CALM"
        )
    ]


def test_streams_behind_the_last_that_the_server_takes_are_lost_and_others_go_on() -> None:
    client, server = Encoder(), Encoder()
    asked = headers(client, 1, GET, end=True) + headers(client, 3, GET, end=True)
    answer = headers(server, 1, [(":status", "200")], end=True)
    told = exchanges(Talk([says(OPENING + asked), hears(goaway(0) + answer)]).told(Http2))
    assert [(each.status, each.error) for each in told] == [(None, "GOAWAY NO_ERROR"), (200, None)]


def test_what_stays_unanswered_after_an_error_of_the_connection_has_its_name() -> None:
    told = Talk([says(OPENING + headers(Encoder(), 1, GET)), hears(goaway(2))]).told(Http2)
    assert only(told).error == "GOAWAY INTERNAL_ERROR"


def test_a_request_without_an_answer_is_unanswered() -> None:
    assert outcome(only(Talk([says(OPENING + headers(Encoder(), 1, GET))]).told(Http2))) == "unanswered"


def warmed() -> tuple[Encoder, Encoder]:
    """Encoders whose tables have entries from before the capture."""
    client, server = Encoder(), Encoder()
    client.encode([*GET, ("x-before", "1"), ("x-before", "2")])
    server.encode([(":status", "418"), ("x-before", "1")])
    return client, server


def test_in_the_middle_what_refers_to_earlier_headers_is_unknown_and_nothing_is_wrong() -> None:
    client, server = warmed()
    fields = [(":method", "GET"), (":path", "/healthz"), (":authority", "cheddar"), ("x-new", "1")]
    later = [(":method", "PUT"), (":path", "/later"), (":authority", "cheddar"), ("x-new", "1")]
    told = Talk(
        [
            says(headers(client, 5, fields, end=True)),
            hears(headers(server, 5, [(":status", "418")], end=True)),
            says(headers(client, 7, later, end=True)),
            hears(headers(server, 7, [(":status", "201")], end=True)),
            says(headers(client, 9, later, end=True)),
            hears(headers(server, 9, [(":status", "201")], end=True)),
        ],
        joined=True,
    ).told(Http2)
    seen = [(each.method, each.path, each.host, each.status, each.unread) for each in exchanges(told)]
    assert seen == [
        ("GET", "…", "…", None, True),
        ("PUT", "/later", "…", 201, False),
        ("PUT", "/later", "…", 201, False),
    ]


def test_a_request_that_says_no_authority_has_none_and_one_whose_authority_was_not_seen_an_unknown_one() -> (
    None
):
    for joined, host in ((False, ""), (True, "…")):
        client, server = warmed() if joined else (Encoder(), Encoder())
        fields = [(":method", "PUT"), (":path", "/a"), *([("x-before", "1")] if joined else [])]
        opening = b"" if joined else OPENING
        turns = [
            says(opening + headers(client, 7, fields, end=True)),
            hears(headers(server, 7, [(":status", "204")], end=True)),
        ]
        assert only(Talk(turns, joined=joined).told(Http2)).host == host


def test_after_lost_frames_nothing_is_wrong() -> None:
    client = Encoder()
    first = headers(client, 1, [*GET, ("x-a", "1")], end=True)
    headers(client, 3, [(":method", "GET"), (":path", "/lost"), ("x-b", "2")], end=True)
    again = [(":method", "GET"), (":path", "/lost"), (":authority", "cheddar"), ("x-a", "1")]
    turns = [says(OPENING + first), says(headers(client, 5, again, end=True) + reset(5, 8))]
    told = exchanges(Talk(turns, gaps=frozenset((2,))).told(Http2))
    assert {(each.method, each.path, each.host, each.error) for each in told} == {
        ("GET", "/healthz", "cheddar", None),
        ("GET", "…", "…", "CANCEL"),
    }


def test_who_joins_in_the_middle_may_take_the_server_for_the_client() -> None:
    client, server = warmed()
    answer = headers(server, 5, [(":status", "200")]) + data(5, b"x", end=True)
    turns = [
        says(answer),
        hears(headers(client, 7, [(":method", "PUT"), (":path", "/a")], end=True)),
        says(headers(server, 7, [(":status", "404")], end=True)),
    ]
    (told,) = exchanges(Talk(turns, joined=True).told(Http2))
    assert (told.client, told.server, told.method, told.path, told.status) == (
        SERVER,
        CLIENT,
        "PUT",
        "/a",
        404,
    )


def test_headers_longer_than_the_limit_are_passed_over() -> None:
    client = Encoder()
    long = [*GET[:3], ("x-long", "y" * 200_000)]
    block = client.encode(long, huffman=False)
    parts = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
    said = frame(HEADERS, 1, parts[0]) + b"".join(frame(CONTINUATION, 1, part) for part in parts[1:-1])
    said += frame(CONTINUATION, 1, parts[-1], END_HEADERS) + headers(client, 3, GET, end=True)
    told = exchanges(Talk([says(OPENING + said)]).told(Http2, split=pieces(1)))
    assert [each.method for each in told] == ["…", "GET"]


def test_frames_in_the_middle_are_recognised() -> None:
    client = Encoder()
    assert look_like_frames(reset(1, 8))
    assert look_like_frames(headers(client, 1, GET) + data(1, b"abc"))
    assert look_like_frames(frame(6, 0, bytes(8)))
    assert not look_like_frames(data(1, b"abc"))
    assert not look_like_frames(b"GET / HTTP/1.1\r\n\r\n")
    assert not look_like_frames(bytes(40))
    assert not look_like_frames(frame(6, 1, bytes(8)))
