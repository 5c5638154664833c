"""The same packets, read here and dissected by tshark: one file with many connections, one run of tshark."""

import struct
import subprocess
from collections import Counter

import pytest
from hpack import Encoder

from tests.workers.summary import packets
from tests.workers.summary.protocols import frames
from tests.workers.summary.protocols.talk import Make, Talk, Turn, hears, says
from tests.workers.summary.protocols.test_kafka import answer, request
from tests.workers.summary.protocols.test_postgresql import OPENED, READY, error, message, query
from tests.workers.summary.protocols.test_redis import command
from tests.workers.summary.speech import Dialogue
from workers.summary.event import Event
from workers.summary.exchange import CallExchange, Exchange, HttpExchange
from workers.summary.protocols.http2 import Http2
from workers.summary.protocols.icmp import errors
from workers.summary.protocols.kafka import Kafka
from workers.summary.protocols.neighbours import Neighbours
from workers.summary.protocols.postgresql import PostgreSQL
from workers.summary.protocols.reader import Lone
from workers.summary.protocols.redis import Redis

FIELDS = (
    "http2.headers.method",
    "http2.headers.path",
    "http2.headers.status",
    "http2.header.value",
    "http2.rst_stream.error",
    "pgsql.query",
    "pgsql.code",
    "kafka.api_key",
    "kafka.api_version",
    "kafka.error",
    "resp.array.length",
    "resp.error",
    "icmp.type",
    "icmp.code",
    "icmp.mtu",
    "icmpv6.type",
    "icmpv6.mtu",
    "udp.srcport",
    "udp.dstport",
    "arp.duplicate-address-detected",
)


def http2() -> list[Turn]:
    client, server = Encoder(), Encoder()
    turns: list[Turn] = [says(frames.OPENING), hears(frames.SETTINGS_FRAME)]
    rpc = [(":method", "POST"), (":scheme", "http"), (":path", "/shop.Orders/List"), (":authority", "orders")]
    rpc += [("content-type", "application/grpc"), ("te", "trailers")]
    for stream in range(1, 21, 2):
        status = str(200 + stream)
        ask = [*frames.GET[:2], (":path", f"/{stream}"), ("x-n", status)]
        said = frames.headers(server, stream, [(":status", status)]) + frames.data(stream, b"x", end=True)
        turns += [says(frames.headers(client, stream, ask, end=True)), hears(said)]
    trailers = frames.headers(server, 21, [("grpc-status", "5")], end=True)
    begin = frames.headers(server, 21, [(":status", "200"), ("content-type", "application/grpc")])
    asked = frames.headers(client, 21, rpc) + frames.data(21, b"\0\0\0\0\0", end=True)
    turns += [says(asked), hears(begin + trailers)]
    return [*turns, says(frames.headers(client, 23, frames.GET, end=True)), hears(frames.reset(23, 7))]


POSTGRESQL: list[Turn] = [
    *OPENED,
    says(query(b"SELECT 1")),
    hears(error(b"ERROR", b"42P01") + READY),
    says(message(b"P", b"s\0UPDATE a SET b = 1\0\0\0") + message(b"B", b"\0s" + bytes(7)) + message(b"S")),
    hears(message(b"1") + message(b"2") + error(b"ERROR", b"23505") + READY),
]
KAFKA: list[Turn] = [
    says(request(3, 1, 1, bytes(4))),
    hears(answer(1, bytes(16))),
    says(request(12, 1, 2, b"\0\1g\0\0\0\1\0\1m")),
    hears(answer(2, struct.pack(">Ih", 0, 27))),
]
REDIS: list[Turn] = [
    says(command(b"GET", b"a") + command(b"SET", b"a", b"b")),
    hears(b"$1\r\nb\r\n-WRONGTYPE no\r\n"),
]
TALKS: list[tuple[int, Make, list[Turn]]] = [
    (50051, Http2, http2()),
    (5432, PostgreSQL, POSTGRESQL),
    (9092, Kafka, KAFKA),
    (6379, Redis, REDIS),
]
QUOTE = packets.ipv4("10.244.2.1", "10.96.0.10", 17, packets.udp(41234, 53, b"x" * 20))
QUOTE6 = packets.ipv6("2001:db8::1", "2001:db8::2", 17, packets.udp(41234, 53, b"x" * 20))
ICMP = [
    bytes((3, 3, 0, 0)) + bytes(4) + QUOTE,
    bytes((3, 4, 0, 0)) + struct.pack(">HH", 0, 1450) + QUOTE,
    bytes((11, 0, 0, 0)) + bytes(4) + QUOTE,
]
ICMPV6 = [bytes((2, 0, 0, 0)) + struct.pack(">I", 1280) + QUOTE6, bytes((1, 4, 0, 0)) + bytes(4) + QUOTE6]
ARP = [
    b"\0\1\x08\0\6\4\0\2\2\0\0\0\0" + bytes((mac,)) + b"\n\xf4\2\2\2\0\0\0\0\1\n\xf4\2\1" for mac in (1, 2)
]


def file() -> bytes:
    dialogue = Dialogue()
    for number, (port, _, turns) in enumerate(TALKS):
        connection = dialogue.connect(40000 + number, port)
        for client, data in turns:
            (connection.says if client else connection.hears)(data)
    for body in ICMP:
        dialogue.frame(packets.ipv4("10.244.2.254", "10.244.2.1", 1, body))
    for body in ICMPV6:
        dialogue.frame(packets.ipv6("fe80::1", "2001:db8::1", 58, body))
    records = [*dialogue.records]
    last = records[-1].time
    for number, body in enumerate(ARP, 1):
        records.append(packets.Record(packets.ethernet(body, 0x0806), last + number * 1_000_000))
    return packets.pcap(records)


Dissected = dict[str, Counter[str]]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Dissected:
    """All values of each field that tshark finds."""
    path = tmp_path_factory.mktemp("readers") / "talks.pcap"
    path.write_bytes(file())
    arguments = [part for field in FIELDS for part in ("-e", field)]
    decode = ["-d", "tcp.port==50051,http2"]
    command = ["tshark", "-n", "-r", path, *decode, "-T", "fields", "-E", "aggregator=|", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: Dissected = {field: Counter() for field in FIELDS}
    for line in done.stdout.splitlines():
        for field, value in zip(FIELDS, line.split("\t"), strict=True):
            found[field].update(value.split("|") if value else ())
    return found


def test_readers_say_what_tshark_dissects(there: Dissected) -> None:
    told: list[Exchange] = []
    for _, make, turns in TALKS:
        told += Talk(turns).told(make)
    requests = [each for each in told if isinstance(each, HttpExchange)]
    calls = [each for each in told if isinstance(each, CallExchange)]
    assert Counter(each.method for each in requests) == there["http2.headers.method"]
    assert Counter(each.path for each in requests) == there["http2.headers.path"]
    assert Counter(str(each.status) for each in requests if each.status) == there["http2.headers.status"]
    assert [each.grpc_status for each in requests if each.grpc_status is not None] == [5]
    assert there["http2.header.value"]["5"] == 1
    assert [each.error for each in requests if each.error] == ["REFUSED_STREAM"]
    assert set(there["http2.rst_stream.error"]) == {"7"}

    named = {each.call for each in calls if each.service == "PostgreSQL"}
    assert named - {"startup"} == {text.split()[0] for text in there["pgsql.query"]}
    codes = {str(each.error).split()[1] for each in calls if each.service == "PostgreSQL" and each.error}
    assert codes == set(there["pgsql.code"])

    assert {each.call for each in calls if each.service == "Kafka"} == {"Metadata v1", "Heartbeat v1"}
    assert {"3", "12"} <= set(there["kafka.api_key"])
    assert {each.error for each in calls if each.service == "Kafka"} == {None, "REBALANCE_IN_PROGRESS"}
    assert "27" in there["kafka.error"]

    redis = [each for each in calls if each.service == "Redis"]
    assert len(redis) == there["resp.array.length"].total()
    assert [each.error for each in redis if each.error] == [text.split()[0] for text in there["resp.error"]]


def test_errors_of_icmp_are_as_tshark_dissects_them(there: Dissected) -> None:
    told = [event for body in ICMP for event in errors(Lone("icmp", "10.244.2.254", "", body, 0, 1))]
    told_v6 = [event for body in ICMPV6 for event in errors(Lone("icmpv6", "fe80::1", "", body, 0, 1))]
    assert numbers(told, "type") == there["icmp.type"]
    assert numbers(told, "code") == there["icmp.code"]
    assert set(numbers(told, "mtu")) == set(there["icmp.mtu"]) - {"0"}
    assert numbers(told_v6, "type") == there["icmpv6.type"]
    assert set(numbers(told_v6, "mtu")) == set(there["icmpv6.mtu"])
    ports = Counter(str(event.source.port) for event in [*told, *told_v6] if event.source)
    assert ports == there["udp.srcport"]


def numbers(told: list[Event], name: str) -> Counter[str]:
    return Counter(f"{event.numbers[name]:.0f}" for event in told if name in event.numbers)


def test_an_address_that_two_machines_claim_is_a_duplicate_to_tshark_too(there: Dissected) -> None:
    neighbours = Neighbours()
    told = [event for body in ARP for event in neighbours.read(Lone("arp", "", "", body, 0.0, 1))]
    assert [event.kind for event in told] == ["arp-conflict"]
    assert there["arp.duplicate-address-detected"].total() == 1
