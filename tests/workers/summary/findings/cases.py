"""For each finding a capture that shows it, and captures that nearly do."""

import socket
import struct
from collections.abc import Callable
from pathlib import Path
from ssl import TLSVersion
from tempfile import TemporaryDirectory

from hpack import Encoder

from tests.workers.summary import packets
from tests.workers.summary.findings.wire import DNS6, POD, POD6, WEB, WEB6, Wire
from tests.workers.summary.packets import ACK, FIN, PSH, RST, SYN
from tests.workers.summary.protocols.frames import GET, OPENING, SETTINGS_FRAME, data, headers
from tests.workers.summary.protocols.test_kafka import answer, request
from tests.workers.summary.protocols.test_postgresql import READY, error, message, query, startup
from tests.workers.summary.speech import Dialogue, tls

Case = Callable[[], Wire]


def alert(number: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([number])


def hello(name: str = "shop.example") -> bytes:
    """A ClientHello of TLS 1.2 that asks for a name."""
    host = name.encode()
    server_name = struct.pack(">HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0"
    body += struct.pack(">H", len(server_name)) + server_name
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def refused() -> Wire:
    wire = Wire()
    for _ in range(3):
        wire.tcp(81, opened=False).send(0, b"", SYN).send(1, b"", RST | ACK)
    return wire.http()


def nearly_refused() -> Wire:
    """A port that a probe opens and resets at once is open."""
    wire = Wire()
    wire.tcp(81).reset(0)
    return wire.http()


def unanswered() -> Wire:
    wire = Wire()
    knock = wire.tcp(5432, client=POD, server="10.96.7.7", opened=False)
    for pause in (1, 2, 4):
        knock.send(0, b"", SYN, again=0 if pause == 1 else 1).wait(pause)
    return wire.http()


def nearly_unanswered() -> Wire:
    """A SYN just before the capture ends."""
    wire = Wire().http(3)
    wire.tcp(5432, opened=False).send(0, b"", SYN)
    return wire


def reset() -> Wire:
    wire = Wire()
    wire.tcp().says(b"GET /a HTTP/1.1\r\nHost: web\r\n\r\n").wait(0.1).reset(1)
    return wire.http(2)


def reset_after_silence() -> Wire:
    wire = Wire()
    wire.tcp(5432, client=POD, server=WEB).says(b"abc").hears(b"def").send(0).wait(400).says(b"x").reset(1)
    wire.tcp(5432, client=POD, server=WEB).says(b"abc").hears(b"def").send(0).wait(360).reset(1)
    return wire


def reset_unseen() -> Wire:
    """What a filter for resets alone lets through."""
    wire = Wire()
    for _ in range(2):
        wire.tcp(81, opened=False).send(1, b"", RST | ACK)
    return wire


def reset_while_waiting() -> Wire:
    wire = Wire().http(1)
    wire.tcp().says(b"GET /a HTTP/1.1\r\nHost: web\r\n\r\n").send(1).wait(0.5).reset(0)
    return wire


def nearly_reset() -> Wire:
    """A client that resets what both had ended."""
    wire = Wire().http(2)
    wire.tcp().get().close().reset(0)
    return wire


def retransmissions() -> Wire:
    wire = Wire().http(2)
    talk = wire.tcp(9000)
    for _ in range(4):
        talk.hears(bytes(500)).send(0).wait(0.3).send(1, bytes(500), PSH | ACK, again=500).send(0)
    return wire


def nearly_retransmissions() -> Wire:
    """Two of a hundred thousand, or two at all."""
    wire = Wire()
    talk = wire.tcp(9000)
    for _ in range(2):
        talk.hears(bytes(500)).send(0).wait(0.3).send(1, bytes(500), PSH | ACK, again=500).send(0)
    return wire


def mtu_blackhole() -> Wire:
    """Answers that fit pass; large ones of the same server vanish."""
    wire = Wire().http(2)
    talk = wire.tcp().says(b"GET /large HTTP/1.1\r\nHost: web\r\n\r\n").send(1).hears(bytes(1448))
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2):
        talk.wait(pause).send(1, bytes(1448), PSH | ACK, again=1448)
    return wire


def mtu_blackhole_behind_small_answers() -> Wire:
    """What Linux sends: a head, a window of large segments, one more to probe, then the first again."""
    wire = Wire().http(2)
    talk = wire.tcp().says(b"GET /large HTTP/1.1\r\nHost: web\r\n\r\n").hears(bytes(115)).send(0)
    for _ in range(11):
        talk.send(1, bytes(1448))
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2):
        talk.wait(pause).send(1, bytes(1448), again=11 * 1448)
    return wire


def nearly_mtu_blackhole() -> Wire:
    """Small ones are lost likewise: that is loss."""
    wire = Wire().http(2)
    talk = wire.tcp().says(b"GET /small HTTP/1.1\r\nHost: web\r\n\r\n").send(1).hears(bytes(300))
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2):
        talk.wait(pause).send(1, bytes(300), PSH | ACK, again=300)
    return wire


def zero_window() -> Wire:
    wire = Wire().http()
    talk = wire.tcp(9000).hears(bytes(1000))
    for _ in range(3):
        talk.send(0, window=0).wait(0.2)
    talk.send(0)
    return wire


def nearly_zero_window() -> Wire:
    """Once, twice in a moment, and a reset, whose window says nothing."""
    wire = Wire().http()
    wire.tcp(9000).hears(bytes(1000)).send(0, window=0).hears(bytes(10)).send(0, window=0).send(0).close()
    talk = wire.tcp(9000).hears(bytes(1000)).send(0, window=0).wait(0.01).send(0)
    talk.close()
    return wire


def mtu() -> Wire:
    wire = Wire().http()
    large = packets.ipv4(POD, WEB, 6, packets.tcp(80, 40000, bytes(1400)))
    return wire.datagram(large).icmp(3, 4, by="10.244.1.1", quoted=large, mtu=1450)


def icmp_error() -> Wire:
    wire = Wire().http()
    asked = packets.ipv4(POD, "10.96.3.3", 17, packets.udp(40000, 8125, b"x"))
    return wire.datagram(asked).icmp(3, 3, by="10.244.1.1", quoted=asked)


def nearly_icmp_error() -> Wire:
    """A ping is no error."""
    wire = Wire().http()
    for kind, source, target in ((8, WEB, POD), (0, POD, WEB)):
        wire.datagram(packets.ipv4(source, target, 1, struct.pack(">BBHHH", kind, 0, 0, 1, 1) + bytes(40)))
    return wire


def absent() -> Wire:
    wire = Wire().http()
    for _ in range(3):
        wire.arp(1, 1, POD, "10.244.1.77").wait(1)
    return wire


def nearly_absent() -> Wire:
    """One question that was answered, and one asked twice."""
    wire = Wire().http()
    wire.arp(1, 1, POD, "10.244.1.77").arp(2, 2, "10.244.1.77", POD).wait(1)
    return wire.arp(1, 1, POD, "10.244.1.78").wait(1).arp(1, 1, POD, "10.244.1.78")


def conflict() -> Wire:
    wire = Wire().http()
    wire.arp(1, 1, POD, "10.244.1.9").arp(2, 2, "10.244.1.9", POD).arp(2, 3, "10.244.1.9", POD)
    return wire


def one_way() -> Wire:
    wire = Wire().http()
    talk = wire.tcp(9000, opened=False)
    for _ in range(5):
        talk.says(bytes(100))
    return wire


def nearly_one_way() -> Wire:
    """Datagrams that nobody answers, as statsd's, and a lone keep-alive."""
    wire = Wire().http()
    for _ in range(5):
        wire.datagram(packets.ipv4(POD, "10.96.3.3", 17, packets.udp(40000, 8125, b"x")))
    wire.tcp(9000, opened=False).send(0)
    return wire


def dns_failure() -> Wire:
    wire = Wire().dns("kubernetes.default.svc.cluster.local")
    return wire.dns("db.shop.svc.cluster.local", 3).dns("db.shop.svc.cluster.local", 3, kind=28)


def dns_server_failure() -> Wire:
    return Wire().dns("example.com", 2).dns("example.com", 2, kind=28)


def dns_unanswered() -> Wire:
    return Wire().dns("example.com", None, tries=2, seconds=5).dns("cluster.local").wait(6).dns("example.org")


def dns_unanswered_from_another_port() -> Wire:
    """As dig asks again; the last question is the last packet."""
    return Wire().dns("cluster.local").dns("example.com", None, seconds=1).dns("example.com", None)


def nearly_dns_unanswered() -> Wire:
    """Asked just before the capture ends."""
    return Wire().dns("cluster.local").dns("example.com", None)


_SEARCHED = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def dns_search() -> Wire:
    wire = Wire()
    for domain in _SEARCHED:
        wire.dns(f"api.example.com.{domain}", 3).dns(f"api.example.com.{domain}", 3, kind=28)
    return wire.dns("api.example.com").dns("api.example.com", kind=28)


def nearly_dns_search() -> Wire:
    """The first search domain finds it, after one that does not."""
    return Wire().dns("db.web.svc.cluster.local").dns("db.shop").dns("db.shop.web.svc.cluster.local", 3)


def dns_slow() -> Wire:
    return Wire().dns("a.example").dns("b.example", seconds=0.7).dns("c.example", seconds=1.2)


def nearly_dns_slow() -> Wire:
    return Wire().dns("a.example").dns("b.example", seconds=0.7).dns("c.example", seconds=0.4)


def http_server_error() -> Wire:
    return Wire().http(3).http(1, status=503).http(3)


def http_client_error() -> Wire:
    return Wire().http(3).http(6, status=404, path="/nothing")


def nearly_http_client_error() -> Wire:
    """A missing icon or four."""
    return Wire().http(20).http(4, status=404, path="/favicon.ico")


def http_slow() -> Wire:
    return Wire().http(18, path="/orders/1").http(3, path="/orders/2", seconds=2.5)


def nearly_http_slow() -> Wire:
    """Too few to speak of a hundred and less than half, too few at all, or too few of many."""
    wire = Wire().http(4, path="/a", seconds=2.5).http(5, path="/a").http(2, path="/c", seconds=2.5)
    return wire.http(39, path="/b").http(1, path="/b", seconds=2.5)


def http_slow_few() -> Wire:
    return Wire().http(3, path="/report", seconds=4)


def http_client_error_alone() -> Wire:
    """The only request that was captured."""
    return Wire().http(1, status=404, path="/nothing")


GET_REQUEST = b"GET /report HTTP/1.1\r\nHost: web\r\n\r\n"
REDIS_GET = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"


def request_unanswered() -> Wire:
    """A client that waits for 3 s, then gives up."""
    wire = Wire().http(1)
    wire.tcp().says(GET_REQUEST).send(1).wait(3).close()
    return wire


def request_unanswered_by_a_server_that_closes() -> Wire:
    wire = Wire().http(1)
    wire.tcp().says(GET_REQUEST).send(1, b"", FIN | ACK).send(0, b"", FIN | ACK).send(1)
    return wire


def request_unanswered_when_the_capture_ends() -> Wire:
    wire = Wire()
    wire.tcp().says(GET_REQUEST).send(1).wait(8)
    return wire.http(1)


def request_unanswered_by_redis() -> Wire:
    wire = Wire()
    talk = wire.tcp(6379, client=POD, server=WEB).says(REDIS_GET).hears(b"+OK\r\n")
    talk.says(REDIS_GET).send(1).wait(2).close()
    return wire


def nearly_request_unanswered() -> Wire:
    """Asked just before the end, never confirmed, answered elsewhere, or a call that waits on purpose."""
    wire = Wire().http(1)
    lost = wire.tcp().says(GET_REQUEST)
    for pause in (0.2, 0.4, 0.8):
        lost.wait(pause).send(0, GET_REQUEST, PSH | ACK, again=len(GET_REQUEST))
    lost.close()
    wire.tcp(opened=False).says(GET_REQUEST).send(0).wait(2).send(0, b"", FIN | ACK)
    blocking = b"*3\r\n$5\r\nBLPOP\r\n$1\r\na\r\n$1\r\n9\r\n"
    wire.tcp(6379, client=POD, server=WEB).says(blocking).send(1).wait(3).close()
    wire.tcp().says(GET_REQUEST).send(1)
    return wire


def tls_failure() -> Wire:
    wire = Wire()
    wire.tcp(443).says(hello()).hears(alert(48)).send(0).close()
    return wire


def tls_no_answer() -> Wire:
    wire = Wire()
    wire.tcp(8080).says(hello()).send(1).wait(10).close()
    return wire


def nearly_tls_no_answer() -> Wire:
    wire = Wire().http()
    wire.tcp(443).says(hello())
    return wire


def tls_plain() -> Wire:
    wire = Wire()
    wire.tcp(8443).get(status=400).close()
    return wire


def nearly_tls_plain() -> Wire:
    wire = Wire()
    wire.tcp(8443).get(status=200).close()
    return wire


def redis() -> Wire:
    wire = Wire()
    asked = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
    talk = wire.tcp(6379, client=POD, server=WEB).says(asked).hears(b"+OK\r\n")
    talk.says(asked).hears(b"-NOAUTH Authentication required.\r\n").close()
    return wire


def nearly_redis() -> Wire:
    wire = Wire()
    talk = wire.tcp(6379, client=POD, server=WEB).says(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
    talk.hears(b"-MOVED 3999 10.0.0.1:6381\r\n").close()
    return wire


def redis_over_ipv6() -> Wire:
    wire = Wire()
    talk = wire.tcp(6379, client=POD6, server=WEB6).says(b"*1\r\n$4\r\nPING\r\n").hears(b"+PONG\r\n")
    talk.says(b"*1\r\n$4\r\nPING\r\n").hears(b"-LOADING not yet\r\n").close()
    return wire


def postgresql(port: int = 5432) -> Wire:
    wire = Wire()
    talk = wire.tcp(port, client=POD, server=WEB).says(startup()).hears(message(b"R", bytes(4)) + READY)
    talk.says(query(b"SELECT 1")).hears(message(b"C", b"SELECT 1\0") + READY)
    talk.says(query(b"SELECT x FROM y")).hears(error(b"ERROR", b"42P01") + READY).close()
    return wire


def kafka() -> Wire:
    """A heartbeat is answered well, another with an error."""
    wire = Wire()
    body = b"\0\1g\0\0\0\1\0\1m"
    talk = wire.tcp(9092, client=POD, server=WEB)
    for number, code in ((1, 0), (2, 25)):
        talk.says(request(12, 0, number, body)).hears(answer(number, struct.pack(">h", code)))
    talk.close()
    return wire


def grpc(status: int = 14) -> Wire:
    wire = Wire()
    talk = wire.tcp(50051)
    client, server = Encoder(), Encoder()
    talk.says(OPENING).hears(SETTINGS_FRAME)
    for stream, ended in ((1, 0), (3, status)):
        asked = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/shop.Cart/Add"),
            (":authority", "cart"),
        ]
        asked += [("content-type", "application/grpc"), ("te", "trailers")]
        talk.says(headers(client, stream, asked) + data(stream, bytes(5), end=True))
        talk.hears(headers(server, stream, [(":status", "200"), ("content-type", "application/grpc")]))
        talk.hears(headers(server, stream, [("grpc-status", str(ended))], end=True))
    talk.close()
    return wire


def nearly_grpc() -> Wire:
    """What is not there is an answer, too."""
    return grpc(5)


def http2_server_error(port: int = 8080) -> Wire:
    wire = Wire()
    talk = wire.tcp(port, client=WEB6, server=POD6)
    client, server = Encoder(), Encoder()
    talk.says(OPENING).hears(SETTINGS_FRAME)
    for stream, status in ((1, "200"), (3, "503")):
        talk.says(headers(client, stream, GET, end=True))
        talk.hears(headers(server, stream, [(":status", status)], end=True))
    talk.close()
    return wire


def http2_server_error_elsewhere() -> Wire:
    """At a port where Wireshark does not see HTTP/2."""
    return http2_server_error(9999)


def pooled_postgresql() -> Wire:
    """At PgBouncer's port, which Wireshark does not know."""
    return postgresql(6432)


def refused_over_ipv6() -> Wire:
    wire = Wire()
    wire.tcp(81, client=WEB6, server=POD6, opened=False).send(0, b"", SYN).send(1, b"", RST | ACK)
    wire.tcp(client=WEB6, server=POD6).get().close()
    return wire


def retransmissions_over_ipv6() -> Wire:
    wire = Wire()
    talk = wire.tcp(9000, client=WEB6, server=POD6)
    for _ in range(4):
        talk.hears(bytes(500)).send(0).wait(0.3).send(1, bytes(500), PSH | ACK, again=500).send(0)
    return wire


def http_server_error_over_ipv6() -> Wire:
    wire = Wire()
    for status in (200, 502):
        wire.tcp(client=WEB6, server=POD6).get(status=status).close()
    return wire


def mtu_over_ipv6() -> Wire:
    wire = Wire().http()
    large = packets.ipv6(POD6, WEB6, 6, packets.tcp(80, 40000, bytes(1400)))
    return wire.datagram(large).icmpv6("fd00:1::1", POD6, 2, 0, struct.pack(">I", 1400) + large[:200])


def icmp_error_over_ipv6() -> Wire:
    wire = Wire().http()
    asked = packets.ipv6(POD6, WEB6, 17, packets.udp(40000, 8125, b"x"))
    return wire.datagram(asked).icmpv6(WEB6, POD6, 1, 4, bytes(4) + asked)


def absent_over_ipv6() -> Wire:
    wire = Wire().http()
    for _ in range(3):
        target = socket.inet_pton(socket.AF_INET6, "fd00:244:1::77")
        wire.icmpv6(POD6, "ff02::1:ff00:77", 135, 0, bytes(4) + target + b"\1\1" + bytes(6)).wait(1)
    return wire


def conflict_over_ipv6() -> Wire:
    """A pod that begins asks whether it may have an address, and another has it."""
    address = "fd00:244:1::9"
    target = socket.inet_pton(socket.AF_INET6, address)
    wire = Wire().http().icmpv6("::", "ff02::1:ff00:9", 135, 0, bytes(4) + target)
    told = b"\x20\0\0\0" + target + b"\2\1\2\0\0\0\0\7"
    return wire.icmpv6(address, "ff02::1", 136, 0, told)


def dns_failure_over_ipv6() -> Wire:
    wire = Wire().dns("cluster.local", client=POD6, server=DNS6)
    return wire.dns("example.com", 2, client=POD6, server=DNS6)


def certificate() -> Wire:
    """A handshake of TLS 1.2, with a certificate that was made after this capture."""
    wire = Wire()
    with TemporaryDirectory() as folder:
        dialogue = Dialogue()
        version = TLSVersion.TLSv1_2
        tls(dialogue.connect(server_port=443), Path(folder), "shop.example", most=version, least=version)
    wire.records += dialogue.records
    return wire.wait(1).http()


def nearly_certificate() -> Wire:
    """With TLS 1.3 nobody can read it."""
    wire = Wire()
    with TemporaryDirectory() as folder:
        dialogue = Dialogue()
        version = TLSVersion.TLSv1_3
        tls(dialogue.connect(server_port=443), Path(folder), "shop.example", most=version, least=version)
    wire.records += dialogue.records
    return wire.wait(1).http()


def quiet() -> Wire:
    return Wire().http(4).dns("cluster.local")


SHOWN: dict[str, tuple[str, Case]] = {
    "refused": ("refused", refused),
    "unanswered": ("unanswered", unanswered),
    "reset": ("reset", reset),
    "reset after silence": ("reset", reset_after_silence),
    "reset of something unseen": ("reset", reset_unseen),
    "retransmissions": ("retransmissions", retransmissions),
    "mtu-blackhole": ("mtu-blackhole", mtu_blackhole),
    "zero-window": ("zero-window", zero_window),
    "mtu": ("mtu", mtu),
    "icmp-error": ("icmp-error", icmp_error),
    "neighbour-absent": ("neighbour-absent", absent),
    "neighbour-conflict": ("neighbour-conflict", conflict),
    "one-way": ("one-way", one_way),
    "dns-failure": ("dns-failure", dns_failure),
    "dns-failure of the server": ("dns-failure", dns_server_failure),
    "dns-unanswered": ("dns-unanswered", dns_unanswered),
    "dns-search-domains": ("dns-search-domains", dns_search),
    "dns-slow": ("dns-slow", dns_slow),
    "http-server-error": ("http-server-error", http_server_error),
    "http-client-error": ("http-client-error", http_client_error),
    "http-slow": ("http-slow", http_slow),
    "http-slow of a few": ("http-slow", http_slow_few),
    "http-client-error of the only request": ("http-client-error", http_client_error_alone),
    "request-unanswered": ("request-unanswered", request_unanswered),
    "request-unanswered, closed": ("request-unanswered", request_unanswered_by_a_server_that_closes),
    "request-unanswered, waiting": ("request-unanswered", request_unanswered_when_the_capture_ends),
    "request-unanswered of Redis": ("request-unanswered", request_unanswered_by_redis),
    "dns-unanswered from another port": ("dns-unanswered", dns_unanswered_from_another_port),
    "mtu-blackhole behind small answers": ("mtu-blackhole", mtu_blackhole_behind_small_answers),
    "reset while waiting": ("reset", reset_while_waiting),
    "tls-failure": ("tls-failure", tls_failure),
    "tls-no-answer": ("tls-no-answer", tls_no_answer),
    "tls-plain-http": ("tls-plain-http", tls_plain),
    "call-failure": ("call-failure", redis),
    "call-failure of Redis over IPv6": ("call-failure", redis_over_ipv6),
    "call-failure of PostgreSQL": ("call-failure", postgresql),
    "call-failure of PgBouncer": ("call-failure", pooled_postgresql),
    "call-failure of Kafka": ("call-failure", kafka),
    "grpc-failure": ("grpc-failure", grpc),
    "http-server-error of HTTP/2": ("http-server-error", http2_server_error),
    "http-server-error of HTTP/2 elsewhere": ("http-server-error", http2_server_error_elsewhere),
    "http-server-error over IPv6": ("http-server-error", http_server_error_over_ipv6),
    "refused over IPv6": ("refused", refused_over_ipv6),
    "retransmissions over IPv6": ("retransmissions", retransmissions_over_ipv6),
    "mtu over IPv6": ("mtu", mtu_over_ipv6),
    "icmp-error over IPv6": ("icmp-error", icmp_error_over_ipv6),
    "neighbour-absent over IPv6": ("neighbour-absent", absent_over_ipv6),
    "neighbour-conflict over IPv6": ("neighbour-conflict", conflict_over_ipv6),
    "dns-failure over IPv6": ("dns-failure", dns_failure_over_ipv6),
    "tls-certificate": ("tls-certificate", certificate),
}
"""What it is about -> the finding's id, and the capture."""

NEARLY: dict[str, Case] = {
    "refused": nearly_refused,
    "unanswered": nearly_unanswered,
    "reset": nearly_reset,
    "retransmissions": nearly_retransmissions,
    "mtu-blackhole": nearly_mtu_blackhole,
    "zero-window": nearly_zero_window,
    "mtu": icmp_error,
    "icmp-error": nearly_icmp_error,
    "neighbour-absent": nearly_absent,
    "neighbour-conflict": nearly_absent,
    "one-way": nearly_one_way,
    "dns-failure": dns_search,
    "dns-unanswered": nearly_dns_unanswered,
    "dns-search-domains": nearly_dns_search,
    "dns-slow": nearly_dns_slow,
    "http-server-error": http_client_error,
    "http-client-error": nearly_http_client_error,
    "http-slow": nearly_http_slow,
    "request-unanswered": nearly_request_unanswered,
    "tls-failure": nearly_tls_no_answer,
    "tls-no-answer": nearly_tls_no_answer,
    "tls-plain-http": nearly_tls_plain,
    "call-failure": nearly_redis,
    "grpc-failure": nearly_grpc,
    "tls-certificate": nearly_certificate,
}
