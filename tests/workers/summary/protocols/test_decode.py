import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hangs import HANGS
from tests.workers.summary.packets import Record, pcap
from tests.workers.summary.speech import Dialogue, tls
from workers.summary.protocols.decode import Decoded, Tshark, decode, find_tshark

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SECRETS = ("hunter2", "Bearer", "tok-123", "sid=")


@pytest.fixture(scope="module")
def tshark() -> Tshark:
    return find_tshark()


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def decoded(folder: Path, data: bytes, tshark: Tshark, **limits: Any) -> Decoded:
    path = folder / "capture.pcap"
    path.write_bytes(data)
    with opened(path) as source:
        return decode(source, tshark, **{"seconds": 60.0, **limits})


def test_requests_of_a_recorded_capture_are_told_with_status_and_latency(
    recorded: Path, tshark: Tshark
) -> None:
    with opened(recorded) as source:
        found = decode(source, tshark, seconds=HANGS)
    assert found.notes == ()
    told: list[Any] = list(found.exchanges)
    asked = len(re.findall(rb"GET /\S+ HTTP/1.1\r\n", recorded.read_bytes()))
    assert len(told) == asked > 0
    assert {(each.method, each.status, each.path[:5]) for each in told} == {("GET", 200, "/path")}
    assert all(each.path.endswith("?…") and each.seconds > 0 and each.server.port == 80 for each in told)


def test_secrets_of_a_request_stay_in_the_file(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    dialogue.connect().says(
        b"GET http://u:hunter2@shop.example/a/b?access_token=hunter2 HTTP/1.1\r\nHost: shop.example\r\n"
        b"Authorization: Bearer hunter2\r\nCookie: sid=hunter2\r\nX-Api-Key: tok-123\r\n\r\n"
    ).hears(
        b"HTTP/1.1 302 Found\r\nSet-Cookie: sid=hunter2\r\nLocation: /?t=hunter2\r\nContent-Length: 0\r\n\r\n"
    )
    found = decoded(tmp_path, dialogue.file(), tshark)
    (told,) = list[Any](found.exchanges)
    assert (told.method, told.host, told.path, told.status) == ("GET", "shop.example", "/a/b?…", 302)
    assert not [secret for secret in SECRETS if secret in repr(found)]


def test_pipelined_requests_in_one_packet_are_all_told(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    both = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in (1, 2))
    answers = b"".join(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code for code in (200, 404))
    dialogue.connect().says(both).hears(answers)
    told: list[Any] = list(decoded(tmp_path, dialogue.file(), tshark).exchanges)
    assert [(each.path, each.status) for each in told] == [("/1", 200), ("/2", 404)]


def test_latency_ends_at_the_answers_header_not_its_last_byte(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue(step=10)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 14000\r\n\r\n" + bytes(14000)
    dialogue.connect().says(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").hears(answer)
    (told,) = list[Any](decoded(tmp_path, dialogue.file(), tshark).exchanges)
    assert told.seconds == 0.01


def test_dns_questions_are_told_with_type_and_outcome(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    dialogue.dns("cheddar.traefik.svc.cluster.local", rcode=0)
    dialogue.dns("cheddar.traefik", kind=28, identity=2, rcode=3)
    dialogue.dns("silent.example", identity=3, rcode=None)
    told: list[Any] = list(decoded(tmp_path, dialogue.file(), tshark).exchanges)
    assert [(each.type, each.name, each.rcode, each.seconds) for each in told] == [
        ("A", "cheddar.traefik.svc.cluster.local", "NOERROR", 0.001),
        ("AAAA", "cheddar.traefik", "NXDOMAIN", 0.001),
        ("A", "silent.example", None, None),
    ]


@pytest.mark.parametrize(("most", "version"), [(TLS13, "TLS 1.3"), (TLS12, "TLS 1.2")])
def test_a_real_tls_handshake_is_told(
    tmp_path: Path, tshark: Tshark, most: ssl.TLSVersion, version: str
) -> None:
    dialogue = Dialogue()
    tls(dialogue.connect(server_port=443), tmp_path, "cheddar.example", most=most, least=TLS12)
    (told,) = list[Any](decoded(tmp_path, dialogue.file(), tshark).exchanges)
    assert (told.server_name, told.version, told.alerts) == ("cheddar.example", version, ())
    assert told.seconds > 0


def test_a_refused_tls_handshake_is_told_with_its_alert(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    tls(dialogue.connect(server_port=443), tmp_path, "cheddar.example", most=TLS12, least=TLS13)
    (told,) = list[Any](decoded(tmp_path, dialogue.file(), tshark).exchanges)
    assert (told.server_name, told.version, told.alerts) == ("cheddar.example", None, ("protocol_version",))


def test_decoding_ends_after_so_many_messages_and_says_so(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    for number in range(30):
        dialogue.dns(f"n{number}.example", identity=number)
    found = decoded(tmp_path, dialogue.file(), tshark, limit=10)
    assert len(found.exchanges) == 5
    assert found.notes == ("Only the first 10 packets with HTTP, DNS or TLS were decoded.",)


def test_a_truncated_file_is_decoded_as_far_as_it_goes(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    dialogue.dns("a.example")
    dialogue.dns("b.example", identity=2)
    found = decoded(tmp_path, dialogue.file()[:-5], tshark, damaged=True)
    assert found.notes == ()
    assert [each.name for each in list[Any](found.exchanges)] == ["a.example", "b.example"]


def test_hostile_requests_are_decoded_like_any_other(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    names = [
        b"/<!channel>",
        b"/*x*_y_`z`",
        b"/\xff\xfe\x00\x01",
        b"/" + b"A" * 60_000,
        b'/"}],{"http.host":"x"}',
        b"/%0a%0d",
    ]
    for number, name in enumerate(names):
        dialogue.connect(40000 + number).says(
            b"GET " + name + b" HTTP/1.1\r\nHost: a: b\r\nhttp.host: z\r\n\r\n"
        )
    found = decoded(tmp_path, dialogue.file(), tshark)
    told: list[Any] = list(found.exchanges)
    assert {"/<!channel>", "/*x*_y_`z`"} <= {each.path for each in told}
    assert all(len(each.path) <= 310 and len(each.host) <= 300 for each in told)


def test_a_capture_in_which_nothing_is_said_has_no_exchanges(tmp_path: Path, tshark: Tshark) -> None:
    dialogue = Dialogue()
    dialogue.connect()
    assert decoded(tmp_path, dialogue.file(), tshark) == Decoded((), ())
    assert decoded(tmp_path, pcap([Record(b"junk")]), tshark) == Decoded((), ())
