import pytest

from tests.workers.summary.protocols.talk import CLIENT, SERVER, Talk, calls, hears, says
from workers.summary.exchange import CallExchange
from workers.summary.protocols.redis import Redis, answers, asks

SECRET = b"hunter2secret"


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def test_a_command_has_its_name_and_latency() -> None:
    told = Talk([says(command(b"get", b"key")), hears(b"$5\r\nvalue\r\n")]).told(Redis)
    assert told == [CallExchange(CLIENT, SERVER, 1, 0.001, "Redis", "GET", None, pytest.approx(0.001))]


def test_an_error_is_told_by_its_first_word() -> None:
    talk = Talk(
        [
            says(command(b"LPUSH", b"a", b"b") + command(b"AUTH", SECRET)),
            hears(b"-WRONGTYPE Operation against a key\r\n-ERR invalid password\r\n"),
            says(command(b"PING")),
            hears(b"-%s\r\n" % SECRET),
        ]
    )
    assert calls(talk.told(Redis)) == [
        ("LPUSH", "answered", "WRONGTYPE"),
        ("AUTH", "answered", "ERR"),
        ("PING", "answered", "error"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"$0\r\n\r\n",
        b"$12\r\nab\r\n-ERR x\r\n\r\n",
        b"*2\r\n*2\r\n:1\r\n$1\r\na\r\n*1\r\n+x\r\n",
        b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
        b"|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n",
        b"~2\r\n#t\r\n,1.5\r\n",
        b"_\r\n",
        b"=7\r\ntxt:abc\r\n",
        b">2\r\n+invalidate\r\n*1\r\n+a\r\n+OK\r\n",
        b"+" + b"x" * 5000 + b"\r\n",
    ],
)
def test_a_value_of_any_type_is_one_answer(answer: bytes) -> None:
    turns = [says(command(b"EVAL", b"x")), hears(answer), says(command(b"PING")), hears(b"-LOADING wait\r\n")]
    assert calls(Talk(turns).told(Redis)) == [("EVAL", "answered", ""), ("PING", "answered", "LOADING")]


def test_a_command_without_an_answer_is_unanswered() -> None:
    assert calls(Talk([says(command(b"BLPOP", b"q", b"0"))]).told(Redis)) == [("BLPOP", "unanswered", "")]


def test_words_that_are_no_command_are_not_shown() -> None:
    told = Talk([says(command(SECRET, SECRET) + command(b"FT.SEARCH", b"x"))]).told(Redis)
    assert [name for name, _, _ in calls(told)] == ["other", "FT.SEARCH"]


def test_inline_commands_are_read() -> None:
    told = Talk([says(b"PING\r\nAUTH hunter2secret\r\n"), hears(b"+PONG\r\n+OK\r\n")]).told(Redis)
    assert calls(told) == [("PING", "answered", ""), ("AUTH", "answered", "")]


def test_published_messages_are_no_answers() -> None:
    talk = Talk(
        [
            says(command(b"SUBSCRIBE", b"c")),
            hears(b"*3\r\n+subscribe\r\n+c\r\n:1\r\n"),
            says(command(b"PING")),
        ]
    )
    assert calls(talk.told(Redis)) == [("SUBSCRIBE", "unread", "")]


def test_after_lost_bytes_the_next_question_but_one_is_paired_again() -> None:
    turns = [
        says(command(b"GET", b"a")),
        hears(b"value\r\n"),
        says(command(b"SET", b"a", b"b")),
        hears(b"+OK\r\n"),
        says(command(b"DEL", b"a")),
        hears(b":1\r\n"),
    ]
    told = calls(Talk(turns, gaps=frozenset((2,))).told(Redis))
    assert told == [("GET", "unread", ""), ("SET", "unread", ""), ("DEL", "answered", "")]


def test_the_latency_is_to_the_begin_of_the_answer() -> None:
    turns = [says(command(b"GET", b"a")), hears(b"$9\r\nabc"), hears(b"defghi\r\n")]
    (call,) = Talk(turns).told(Redis)
    assert isinstance(call, CallExchange)
    assert call.seconds == pytest.approx(0.001)


def test_commands_and_answers_are_recognised() -> None:
    assert asks(command(b"GET", b"a"))
    assert asks(b"PING\r\n")
    assert not asks(b"GET / HTTP/1.1\r\n")
    assert not asks(b"*1\r\n")
    assert answers(b"+OK\r\n")
    assert not answers(b"HTTP/1.1 200 OK\r\n")
