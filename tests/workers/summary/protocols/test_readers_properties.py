"""What holds for every reader of a protocol, whatever comes."""

import sys

import pytest
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.summary.protocols import frames
from tests.workers.summary.protocols.talk import CONNECTION, Make, Talk, Turn, pieces
from tests.workers.summary.protocols.test_kafka import answer, request
from tests.workers.summary.protocols.test_postgresql import READY, TLS, error, message, query, startup
from tests.workers.summary.protocols.test_redis import command
from workers.summary.protocols.http2 import Http2
from workers.summary.protocols.kafka import Kafka
from workers.summary.protocols.postgresql import PostgreSQL
from workers.summary.protocols.reader import Segment
from workers.summary.protocols.redis import Redis

SECRET = "hunter2secret"
WORD = SECRET.encode()

REDIS = [
    (True, command(b"AUTH", WORD) + command(b"SET", WORD, WORD * 50)),
    (False, b"+OK\r\n-WRONGTYPE " + WORD + b"\r\n"),
    (True, command(b"HELLO", b"3", b"AUTH", b"me", WORD) + command(WORD)),
    (False, b"%1\r\n$6\r\nserver\r\n$13\r\n" + WORD + b"\r\n-" + WORD + b"\r\n"),
    (True, command(b"GET", WORD)),
    (False, b"$13\r\n" + WORD + b"\r\n"),
]
POSTGRESQL = [
    (True, TLS),
    (False, b"N"),
    (True, startup(body=b"user\0" + WORD + b"\0\0")),
    (False, message(b"R", b"\0\0\0\3")),
    (True, message(b"p", WORD + b"\0")),
    (False, message(b"R", bytes(4)) + message(b"K", bytes(8)) + READY),
    (
        True,
        query(b"SELECT '" + WORD + b"' /* " + WORD * 40)
        + message(b"P", WORD + b"\0INSERT " + WORD + b"\0\0\0"),
    ),
    (True, message(b"B", b"\0" + WORD + b"\0" + WORD) + message(b"E", bytes(5)) + message(b"S")),
    (False, message(b"T", WORD) + message(b"D", WORD * 90) + READY + error(b"ERROR", b"23505", WORD) + READY),
]
KAFKA = [
    (True, request(18, 3, 1, client=WORD) + request(36, 2, 2, b"\0user\0" + WORD)),
    (False, answer(1, bytes(9)) + answer(2, b"\0\0\x3a" + WORD)),
    (True, request(0, 9, 3, b"\0\0\xff\xff" + WORD * 90) + request(1, 12, 4, WORD)),
    (False, answer(4, bytes(700) + WORD) + answer(3, WORD)),
]


def http2() -> list[Turn]:
    client, server = Encoder(), Encoder()
    ask = [
        *frames.GET[:2],
        (":path", f"/a/{SECRET}x1y2z3?{SECRET}"),
        (":authority", f"me:{SECRET}@cheddar"),
        ("authorization", SECRET),
        ("cookie", SECRET),
        ("x-long", SECRET * 300),
    ]
    say = [(":status", "500"), ("set-cookie", SECRET)]
    return [
        (True, frames.OPENING + frames.headers(client, 1, ask, end=True)),
        (
            False,
            frames.SETTINGS_FRAME + frames.headers(server, 1, say) + frames.data(1, WORD * 900, end=True),
        ),
        (
            True,
            frames.headers(client, 3, ask) + frames.data(3, WORD) + frames.headers(client, 5, ask, end=True),
        ),
        (False, frames.headers(server, 5, say, end=True) + frames.reset(3, 2) + frames.goaway(2, WORD)),
    ]


MAKE: dict[str, Make] = {"Redis": Redis, "PostgreSQL": PostgreSQL, "Kafka": Kafka, "HTTP/2": Http2}
TALKS: dict[str, list[Turn]] = {
    "Redis": REDIS,
    "PostgreSQL": POSTGRESQL,
    "Kafka": KAFKA,
    "HTTP/2": http2(),
}
each_protocol = pytest.mark.parametrize("protocol", TALKS)


@each_protocol
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=15, deadline=None)
def test_any_split_into_segments_tells_the_same(protocol: str, seed: int) -> None:
    talk = Talk(TALKS[protocol])
    whole = talk.told(MAKE[protocol])
    assert len(whole) >= 3
    assert talk.told(MAKE[protocol], split=pieces(seed)) == whole


@each_protocol
@pytest.mark.parametrize("joined", [True, False])
def test_no_secret_is_told(protocol: str, joined: bool) -> None:
    told = repr(Talk(TALKS[protocol], joined).told(MAKE[protocol])).lower()
    assert SECRET not in told


@each_protocol
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_changed_cut_and_missing_bytes_never_raise_and_tell_no_secret(
    protocol: str, data: st.DataObject
) -> None:
    turns = []
    for client, said in TALKS[protocol]:
        at = data.draw(st.integers(0, len(said)))
        changed = said[:at] + data.draw(st.binary(max_size=6)) + said[at + data.draw(st.integers(0, 9)) :]
        turns.append((client, changed or b"x"))
    gaps = data.draw(st.frozensets(st.integers(1, len(turns)), max_size=3))
    told = Talk(turns, joined=data.draw(st.booleans()), gaps=gaps).told(MAKE[protocol])
    assert SECRET not in repr(told).lower()


@each_protocol
@given(
    turns=st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=300)), max_size=12),
    joined=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_any_bytes_never_raise(protocol: str, turns: list[Turn], joined: bool) -> None:
    Talk(turns, joined).told(MAKE[protocol])


FLOODS = {
    "Redis": [
        b"*1\r\n$4\r\nPING\r\n" * 1000,
        b"*1000000000\r\n" * 1000,
        b"$999999999\r\n" + b"x" * 9000,
        b"+" * 9000,
    ],
    "PostgreSQL": [
        query(b"SELECT 1") * 1000,
        b"".join(message(b"P", b"%d\0SELECT 1\0\0\0" % each) for each in range(1000)),
        b"d\x3f\xff\xff\xff" + b"x" * 9000,
    ],
    "Kafka": [
        b"".join(request(3, 1, each) for each in range(1000)),
        b"\6\0\0\0" + request(3, 1, 1)[4:] + bytes(9000),
    ],
    "HTTP/2": [
        b"".join(frames.headers(Encoder(), each, frames.GET) for each in range(1, 2000, 2)),
        b"".join(frames.frame(1, each, b"\xff\xff\xff") for each in range(1, 2000, 2)),
        frames.frame(1, 1, b"x" * 9000) + frames.frame(9, 1, b"x" * 9000) * 2,
        b"\xff\xff\xff\1\0\0\0\0\1" + b"x" * 9000,
    ],
}


@each_protocol
def test_whatever_comes_what_is_held_has_a_bound(protocol: str) -> None:
    for flood in FLOODS[protocol]:
        reader = MAKE[protocol](CONNECTION)
        for turn in range(12):
            list(reader.read(Segment(True, flood, float(turn), turn, gap=turn == 0)))
        assert weight(reader) < 300_000 + 2 * len(flood)


def weight(thing: object, seen: set[int] | None = None) -> int:
    """Bytes of an object and all it refers to, but not of modules and functions."""
    seen = set() if seen is None else seen
    if id(thing) in seen or callable(thing):
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    inner: list[object] = []
    if isinstance(thing, dict):
        inner = [*thing, *thing.values()]
    elif hasattr(thing, "__dict__") or hasattr(thing, "__slots__"):
        slots = getattr(type(thing), "__slots__", ())
        inner = [*vars(thing).values()] if hasattr(thing, "__dict__") else []
        inner += [getattr(thing, name) for name in slots]
    if isinstance(thing, (list, tuple, set, frozenset)) or type(thing).__name__ == "deque":
        inner += list(thing)  # type: ignore[call-overload]
    return size + sum(weight(each, seen) for each in inner)
