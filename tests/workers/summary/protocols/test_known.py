from itertools import combinations

import pytest

from tests.workers.summary.protocols.frames import OPENING
from tests.workers.summary.protocols.talk import CONNECTION
from tests.workers.summary.protocols.test_kafka import request
from tests.workers.summary.protocols.test_postgresql import CANCEL, TLS, startup
from tests.workers.summary.protocols.test_redis import command
from workers.summary.protocols.http2 import Http2
from workers.summary.protocols.kafka import Kafka
from workers.summary.protocols.known import KNOWN
from workers.summary.protocols.postgresql import PostgreSQL
from workers.summary.protocols.reader import Segment
from workers.summary.protocols.redis import Redis

BEGINNINGS = [
    (OPENING, Http2),
    (command(b"GET", b"a"), Redis),
    (command(*[b"MSET"] * 120), Redis),
    (b"PING\r\n", Redis),
    (startup(), PostgreSQL),
    (TLS, PostgreSQL),
    (CANCEL, PostgreSQL),
    (request(18, 3, 1), Kafka),
    (request(3, 9, 1, bytes(30), None), Kafka),
]


@pytest.mark.parametrize(("data", "reader"), BEGINNINGS)
def test_the_first_bytes_of_a_client_open_their_reader_on_any_port(data: bytes, reader: type) -> None:
    segment = Segment(True, data, 0.0, 1, gap=False)
    (known,) = (each for each in KNOWN if data[:4] in each.starts)
    assert type(known.open(CONNECTION, segment)) is reader


@pytest.mark.parametrize(
    "data", [b"*1\r\nxyz", b"\0\0\0\x20" + bytes(28), b"PING pong", b"PRI * HTTP/1.1\r\n\r\n"]
)
def test_what_only_begins_so_opens_none(data: bytes) -> None:
    segment = Segment(True, data, 0.0, 1, gap=False)
    assert [each.open(CONNECTION, segment) for each in KNOWN if data[:4] in each.starts] == [None]


def test_each_start_and_port_leads_to_one_protocol() -> None:
    for one, other in combinations(KNOWN, 2):
        assert not one.starts & other.starts
        assert not one.ports & other.ports
