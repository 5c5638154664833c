"""For each finding a capture that shows it, and captures that nearly do."""

import struct
from collections.abc import Callable

from tests.workers.summary import packets
from tests.workers.summary.findings.wire import POD, WEB, Wire
from tests.workers.summary.packets import ACK, PSH, RST, SYN

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
    """Once, and a reset, whose window says nothing."""
    wire = Wire().http()
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
    """Too few to speak of a hundred, or too few of many."""
    return Wire().http(10, path="/a", seconds=2.5).http(39, path="/b").http(1, path="/b", seconds=2.5)


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


def quiet() -> Wire:
    return Wire().http(4).dns("cluster.local")


SHOWN: dict[str, tuple[str, Case]] = {
    "refused": ("refused", refused),
    "unanswered": ("unanswered", unanswered),
    "reset": ("reset", reset),
    "reset after silence": ("reset", reset_after_silence),
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
    "tls-failure": ("tls-failure", tls_failure),
    "tls-no-answer": ("tls-no-answer", tls_no_answer),
    "tls-plain-http": ("tls-plain-http", tls_plain),
    "call-failure": ("call-failure", redis),
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
    "tls-failure": nearly_tls_no_answer,
    "tls-no-answer": nearly_tls_no_answer,
    "tls-plain-http": nearly_tls_plain,
    "call-failure": nearly_redis,
}
