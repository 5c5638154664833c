import io
import struct

import pytest

from tests.workers.summary import packets
from tests.workers.summary.packets import Record, pcap
from tests.workers.summary.speech import Dialogue
from workers.summary.exchange import DnsExchange, HttpExchange, TlsExchange
from workers.summary.files.pcapfile import PcapFile
from workers.summary.flows.counted import Counted
from workers.summary.flows.counting import Counting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def counted(data: bytes) -> Counted:
    file = PcapFile(io.BytesIO(data))
    counting = Counting()
    counting.file(file)
    return counting.result()


def http(dialogue: Dialogue) -> list[tuple[str, str, str, int | None]]:
    found = counted(dialogue.file()).exchanges
    assert all(isinstance(each, HttpExchange) for each in found)
    return [(e.method, e.host, e.path, e.status) for e in found if isinstance(e, HttpExchange)]


def test_requests_find_their_answers_in_order() -> None:
    dialogue = Dialogue()
    connection = dialogue.connect()
    connection.says(b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\nGET /b HTTP/1.1\r\nHost: shop\r\n\r\n")
    connection.hears(OK + b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!")
    assert http(dialogue) == [("GET", "shop", "/a", 200), ("GET", "shop", "/b", 404)]


def test_a_header_that_goes_on_in_the_next_segment_is_read_and_a_body_passed_over() -> None:
    dialogue = Dialogue()
    connection = dialogue.connect()
    connection.says(b"POST /form HTTP/1.1\r\nHo").says(b"st: shop\r\nContent-Length: 20\r\n\r\n")
    connection.says(b"GET /no HTTP/1.1 not").hears(b"HTTP/1.1 100 Continue\r\n\r\n").hears(OK)
    assert http(dialogue)[0] == ("POST", "shop", "/form", 200)


def test_a_request_without_an_answer_is_told_as_such() -> None:
    dialogue = Dialogue()
    connection = dialogue.connect()
    connection.says(b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
    found = counted(dialogue.file())
    assert [(group.answer, group.failed) for group in found.groups] == [("no answer", True)]
    assert found.event_counts == {"http-failure": 1}


def test_a_flow_tells_how_often_something_was_asked_in_it() -> None:
    dialogue = Dialogue()
    asking = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
    dialogue.connect().says(asking).hears(OK).says(asking)
    dialogue.connect(40001).says(b"not HTTP")
    assert [flow.requests for flow in counted(dialogue.file()).flows] == [2, 0]


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /a?token=hunter2secret HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer hunter2secret\r\n\r\n",
        b"GET http://user:hunter2secret@shop/a HTTP/1.1\r\nHost: user:hunter2secret@shop\r\n\r\n",
        (
            b"POST /login/token/hunter2secret HTTP/1.1\r\nHost: shop\r\nCookie: s=hunter2secret\r\n\r\n"
            b"password=hunter2secret"
        ),
    ],
)
def test_no_secret_of_a_request_or_its_answer_is_kept(request_: bytes) -> None:
    dialogue = Dialogue()
    connection = dialogue.connect()
    connection.says(request_).hears(b"HTTP/1.1 200 OK\r\nSet-Cookie: hunter2secret\r\n\r\n")
    summary = counted(dialogue.file()).summary(payload=True, notes=())
    assert len(summary.exchanges) == 1
    assert "hunter2" not in str(summary.to_json())


def dns(number: int, *, flags: int, answers: int = 0) -> bytes:
    question = b"\x04shop\x03svc\x00" + struct.pack(">HH", 28, 1)
    return struct.pack(">HHHHHH", number, flags, 1, answers, 0, 0) + question


def ask(message: bytes, *, back: bool = False, time: int = 0) -> Record:
    ends = ("10.0.0.9", "10.0.0.1") if back else ("10.0.0.1", "10.0.0.9")
    ports = (53, 4000) if back else (4000, 53)
    return Record(packets.ethernet(packets.ipv4(*ends, 17, packets.udp(*ports, message))), time)


def test_a_question_that_is_repeated_waits_for_one_answer() -> None:
    records = [ask(dns(7, flags=0x100)), ask(dns(7, flags=0x100), time=10**9)]
    records += [ask(dns(7, flags=0x8183), back=True, time=2 * 10**9), ask(dns(8, flags=0x100))]
    answered, open_ = counted(pcap(records)).exchanges
    assert isinstance(answered, DnsExchange)
    assert isinstance(open_, DnsExchange)
    assert (answered.name, answered.type, answered.rcode) == ("shop.svc", "AAAA", "NXDOMAIN")
    assert (answered.seconds, answered.times) == (2.0, 2)
    assert open_.rcode is None


def test_dns_over_tcp_is_read_over_several_segments() -> None:
    question, answer = dns(1, flags=0x100), dns(1, flags=0x8180, answers=2)
    dialogue = Dialogue()
    connection = dialogue.connect(server_port=53)
    connection.says(struct.pack(">H", len(question)) + question[:9]).says(question[9:])
    connection.hears(struct.pack(">H", len(answer)) + answer)
    (found,) = counted(dialogue.file()).exchanges
    assert isinstance(found, DnsExchange)
    assert (found.transport, found.rcode, found.answers) == ("TCP", "NOERROR", 2)


def test_a_tls_handshake_has_name_version_cipher_and_alert() -> None:
    name = b"shop.example"
    sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    random = bytes(32)
    hello = b"\x03\x03" + random + b"\x00\x00\x02\xc0\x2f\x01\x00" + struct.pack(">H", len(sni)) + sni
    chosen = b"\x03\x03" + random + b"\x00\xc0\x2f\x00\x00\x00"

    def record(kind: int, body: bytes) -> bytes:
        message = bytes([kind]) + len(body).to_bytes(3, "big") + body
        return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message

    dialogue = Dialogue()
    connection = dialogue.connect(server_port=443)
    connection.says(record(1, hello)[:40]).says(record(1, hello)[40:])
    connection.hears(record(2, chosen)).says(b"\x15\x03\x03\x00\x02\x02\x30")
    (found,) = counted(dialogue.file()).exchanges
    assert isinstance(found, TlsExchange)
    assert (found.server_name, found.version, found.alerts) == ("shop.example", "TLS 1.2", ("unknown_ca",))
    assert found.cipher == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
