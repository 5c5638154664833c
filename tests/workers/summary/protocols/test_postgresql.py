import struct

import pytest

from tests.workers.summary.protocols.talk import CLIENT, SERVER, Talk, Turn, calls, hears, says
from workers.summary.exchange import CallExchange
from workers.summary.protocols.postgresql import PostgreSQL, begins, continues

SECRET = b"hunter2secret"
READY = b"Z\0\0\0\5I"


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack(">I", 4 + len(body)) + body


def startup(code: int = 3 << 16, body: bytes = b"user\0alice\0database\0shop\0\0") -> bytes:
    return struct.pack(">II", 8 + len(body), code) + body


def query(text: bytes) -> bytes:
    return message(b"Q", text + b"\0")


def error(severity: bytes, code: bytes, text: bytes = SECRET) -> bytes:
    return message(b"E", b"SFEHLER\0V" + severity + b"\0C" + code + b"\0M" + text + b"\0\0")


TLS, GSS, CANCEL = (
    struct.pack(">II", 8, 80877103),
    struct.pack(">II", 8, 80877104),
    startup(80877102, bytes(8)),
)
OPENED: list[Turn] = [says(startup()), hears(message(b"R", bytes(4)) + message(b"S", b"a\0b\0") + READY)]


def test_a_query_has_its_keyword_and_latency() -> None:
    talk = Talk([*OPENED, says(query(b"select * from users")), hears(message(b"C", b"SELECT 0\0") + READY)])
    told = talk.told(PostgreSQL)
    assert calls(told) == [("startup", "answered", ""), ("SELECT", "answered", "")]
    assert told[1] == CallExchange(
        CLIENT, SERVER, 3, 0.003, "PostgreSQL", "SELECT", None, pytest.approx(0.001)
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"  \n(SELECT 1)", "SELECT"),
        (b"/* app='x' */ -- y\n update a", "UPDATE"),
        (b"hunter2secret", "other"),
        (b"/* " + b"x" * 400 + b" */ SELECT 1", "other"),
        (b"", "empty"),
        (b";", "empty"),
        (b"SELECTED", "other"),
        (b"IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM"),
    ],
)
def test_of_a_statement_the_first_keyword_is_shown(text: bytes, name: str) -> None:
    assert calls(Talk([*OPENED, says(query(text)), hears(READY)]).told(PostgreSQL))[1][0] == name


def test_a_batch_is_named_by_its_statement() -> None:
    parse = message(b"P", b"s1\0INSERT INTO a VALUES ($1)\0\0\0")
    bind = message(b"B", b"\0s1\0\0\0\0\1\0\0\0\x0d" + SECRET + b"\0\0")
    run = message(b"D", b"P\0") + message(b"E", b"\0\0\0\0\0") + message(b"S")
    talk = Talk([*OPENED, says(parse + bind + run), hears(READY), says(bind + run), hears(READY)])
    told = calls(talk.told(PostgreSQL))
    assert [name for name, _, _ in told] == ["startup", "INSERT", "INSERT"]


def test_a_batch_of_a_statement_that_was_not_seen_is_named_by_its_first_message() -> None:
    bind = message(b"B", b"\0s9\0\0\0\0\0\0\0")
    told = calls(Talk([*OPENED, says(bind + message(b"S")), hears(READY)]).told(PostgreSQL))
    assert told[1:] == [("Bind", "answered", "")]


def test_an_error_has_severity_and_code() -> None:
    talk = Talk([*OPENED, says(query(b"SELECT 1")), hears(error(b"ERROR", b"42P01") + READY)])
    assert calls(talk.told(PostgreSQL))[1:] == [("SELECT", "answered", "ERROR 42P01 (undefined_table)")]


def test_a_refused_login_is_an_error_of_the_startup() -> None:
    turns = [says(startup()), hears(message(b"R", bytes(3) + b"\3")), says(message(b"p", SECRET + b"\0"))]
    told = calls(Talk([*turns, hears(error(b"FATAL", b"28P01"))]).told(PostgreSQL))
    assert told == [("startup", "answered", "FATAL 28P01 (invalid_password)")]


@pytest.mark.parametrize("code", [b"hunter2", b"12", b"ab\xff12", b"a.b.c"])
def test_a_code_that_is_none_is_not_shown(code: bytes) -> None:
    talk = Talk([*OPENED, says(query(b"SELECT 1")), hears(error(b"ERROR", code) + READY)])
    assert calls(talk.told(PostgreSQL))[1:] == [("SELECT", "answered", "ERROR")]


def test_behind_an_accepted_tls_request_nothing_is_read() -> None:
    told = Talk([says(TLS), hears(b"S"), says(query(b"SELECT 1")), hears(READY)]).told(PostgreSQL)
    assert calls(told) == [("TLS request", "answered", "")]


def test_behind_a_declined_tls_request_which_is_no_error_the_startup_follows() -> None:
    told = calls(Talk([says(TLS), hears(b"N"), *OPENED]).told(PostgreSQL))
    assert told == [("TLS request, declined", "answered", ""), ("startup", "answered", "")]


def test_a_cancel_request_is_told_without_its_key() -> None:
    assert calls(Talk([says(CANCEL)]).told(PostgreSQL)) == [("cancel request", "unread", "")]


def test_a_query_without_an_answer_is_unanswered() -> None:
    assert calls(Talk([*OPENED, says(query(b"LOCK a"))]).told(PostgreSQL))[1:] == [("LOCK", "unanswered", "")]


def test_in_the_middle_pairing_begins_with_the_second_question() -> None:
    turns = [says(query(b"SELECT 1")), hears(READY), says(query(b"UPDATE a")), hears(READY)]
    told = calls(Talk(turns, joined=True).told(PostgreSQL))
    assert told == [("SELECT", "unread", ""), ("UPDATE", "answered", "")]


def test_the_latency_is_to_the_begin_of_the_answer() -> None:
    rows = [
        hears(message(b"N", b"x")),
        hears(message(b"T", b"x")),
        hears(message(b"d", bytes(99))),
        hears(READY),
    ]
    told = Talk([*OPENED, says(query(b"COPY a TO STDOUT")), *rows]).told(PostgreSQL)
    assert isinstance(told[1], CallExchange)
    assert told[1].seconds == pytest.approx(0.002)


def test_connections_are_recognised() -> None:
    assert all(begins(data) for data in (startup(), TLS, GSS, CANCEL))
    assert not begins(startup(2 << 16))
    assert not begins(b"GET / HTTP/1.1\r\n\r\n")
    assert continues(query(b"SELECT 1"), from_client=True)
    assert continues(error(b"ERROR", b"42P01") + READY, from_client=False)
    assert not continues(b"GET / HTTP/1.1\r\n\r\n", from_client=True)
    assert not continues(READY, from_client=True)
