import struct

import pytest

from tests.workers.summary.protocols.talk import CLIENT, SERVER, Talk, calls, hears, says
from workers.summary.exchange import CallExchange
from workers.summary.protocols.kafka import Kafka, asks

SECRET = b"hunter2secret"


def request(key: int, version: int, number: int, body: bytes = b"", client: bytes | None = b"app") -> bytes:
    named = struct.pack(">h", -1 if client is None else len(client)) + (client or b"")
    return sized(struct.pack(">HHI", key, version, number) + named + body)


def answer(number: int, body: bytes = b"") -> bytes:
    return sized(struct.pack(">I", number) + body)


def sized(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def test_answers_find_their_questions_by_number() -> None:
    asked = request(3, 9, 7) + request(1, 11, 8, b"x" * 2000)
    told = Talk([says(asked), hears(answer(8, bytes(40))), hears(answer(7))]).told(Kafka)
    assert told == [
        CallExchange(CLIENT, SERVER, 1, 0.001, "Kafka", "Fetch v11", None, pytest.approx(0.001)),
        CallExchange(CLIENT, SERVER, 1, 0.001, "Kafka", "Metadata v9", None, pytest.approx(0.002)),
    ]


@pytest.mark.parametrize(
    ("key", "version", "body", "error"),
    [
        (12, 0, struct.pack(">h", 27), "REBALANCE_IN_PROGRESS"),
        (12, 3, struct.pack(">Ih", 0, 25), "UNKNOWN_MEMBER_ID"),
        (12, 4, struct.pack(">BIh", 0, 0, 25), "UNKNOWN_MEMBER_ID"),
        (10, 0, struct.pack(">h", 15), "COORDINATOR_NOT_AVAILABLE"),
        (11, 4, struct.pack(">Ih", 0, 79), "MEMBER_ID_REQUIRED"),
        (17, 1, struct.pack(">h", 33), "UNSUPPORTED_SASL_MECHANISM"),
        (36, 2, struct.pack(">Bh", 0, 58), "SASL_AUTHENTICATION_FAILED"),
        (18, 3, struct.pack(">h", 35), "UNSUPPORTED_VERSION"),
        (1, 12, struct.pack(">BIh", 0, 0, 70), "FETCH_SESSION_ID_NOT_FOUND"),
        (22, 2, struct.pack(">BIh", 0, 0, 999), "error 999"),
        (12, 3, struct.pack(">Ih", 0, 0), ""),
        (12, 99 - 80, struct.pack(">Ih", 9, 9), ""),
        (3, 1, struct.pack(">Ih", 9, 9), ""),
        (12, 3, b"", ""),
    ],
)
def test_an_error_at_the_begin_of_an_answer_has_its_name(
    key: int, version: int, body: bytes, error: str
) -> None:
    told = Talk([says(request(key, version, 1)), hears(answer(1, body))]).told(Kafka)
    assert [said for _, _, said in calls(told)] == [error]


@pytest.mark.parametrize(
    ("version", "body"),
    [(2, b"\0\0"), (3, b"\xff\xff\0\0"), (7, b"\0\2id\0\0"), (9, b"\0\0\0\0"), (9, b"\0\3id\0\0")],
)
def test_a_produce_that_wants_no_answer_is_not_unanswered(version: int, body: bytes) -> None:
    told = Talk([says(request(0, version, 1, body + bytes(30)))]).told(Kafka)
    assert calls(told) == [(f"Produce v{version}", "unread", "")]


@pytest.mark.parametrize(("version", "body"), [(2, b"\0\1"), (7, b"\xff\xff\xff\xff"), (9, b"\0\0\xff\xff")])
def test_a_produce_without_its_answer_is_unanswered(version: int, body: bytes) -> None:
    assert calls(Talk([says(request(0, version, 1, body))]).told(Kafka)) == [
        (f"Produce v{version}", "unanswered", "")
    ]


def test_a_bare_token_of_sasl_is_passed_over() -> None:
    talk = Talk(
        [says(request(17, 0, 1) + sized(b"\0user\0" + SECRET) + request(3, 1, 2)), hears(answer(1, b"\0\0"))]
    )
    assert [name for name, *_ in calls(talk.told(Kafka))] == ["SaslHandshake v0", "Metadata v1"]


def test_after_lost_bytes_of_the_server_nothing_is_called_unanswered() -> None:
    turns = [says(request(3, 1, 1) + request(3, 1, 2)), hears(answer(2))]
    told = Talk(turns, gaps=frozenset((2,))).told(Kafka)
    assert [outcome for _, outcome, _ in calls(told)] == ["answered", "unread"]


def test_requests_are_recognised() -> None:
    assert asks(request(18, 3, 1))
    assert asks(request(0, 9, 1, client=None))
    assert not asks(request(300, 0, 1))
    assert not asks(request(18, 3, 1, client=b"a\0b"))
    assert not asks(b"GET / HTTP/1.1\r\n\r\n")
    assert not asks(b"\0\0\0\x54\0\3\0\0user\0postgres\0database\0postgres\0\0")
