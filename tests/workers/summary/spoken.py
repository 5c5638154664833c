"""Captures in which each protocol that is read is spoken, with a word planted wherever one can be."""

from base64 import b64encode

from hpack import Encoder

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from tests.workers.summary.protocols import frames
from tests.workers.summary.protocols.test_kafka import answer, request
from tests.workers.summary.protocols.test_postgresql import READY, error, message, query, startup
from tests.workers.summary.protocols.test_redis import command
from tests.workers.summary.speech import CLIENT, SERVER, Dialogue

TARGETS = (
    "/a?token=%s",
    "/a/%s",
    "/%s/b",
    "/a;session=%s",
    "/a#access_token=%s",
    "/password/%s/reset",
    "/key=%s",
    "/a%%3Fx=%s",
    "/a%%2F%s",
    "/me:%s@host/",
    "http://me:%s@cheddar/a",
    "http://%s@cheddar/a?x=%s",
    "//me:%s@cheddar/",
)
"""Where a URL can have a secret; `%s` is the word."""

HEADERS = (
    "Authorization: Bearer %s",
    "authorization: Basic %s",
    "Authorization:\r\n %s",
    "Proxy-Authorization: Digest %s",
    "Cookie: session=%s; other=%s",
    "X-Api-Key: %s",
    "X-Auth-Token: %s",
    "Referer: http://cheddar/?token=%s",
)


def http(word: str) -> bytes:
    """Every place in HTTP/1: targets, headers, forms, answers; whole, in small pieces and very long."""
    dialogue = Dialogue()
    headers = "\r\n".join(each.replace("%s", word) for each in HEADERS)
    answered = f"HTTP/1.1 401 No {word}\r\nSet-Cookie: s={word}\r\nLocation: /?t={word}\r\n".encode()
    form = f"user=me&password={word}".encode()
    port = 40000
    for target in TARGETS:
        port += 1
        shown = target.replace("%%", "%").replace("%s", word)
        said = f"POST {shown} HTTP/1.1\r\nHost: me:{word}@cheddar\r\n{headers}\r\n".encode()
        said += b"Content-Length: %d\r\n\r\n" % len(form) + form
        heard = answered + b"Content-Length: %d\r\n\r\n" % len(form) + form
        dialogue.connect(port).says(said).hears(heard)
    slow = dialogue.connect(port + 1)
    for at in range(0, len(said), 50):
        slow.says(said[at : at + 50])
    slow.hears(answered + b"\r\n")
    long = (
        f"GET /{'x' * 3000}/{word}{'y' * 3000}?{word} HTTP/1.1\r\nHost: {word}@{'h' * 500}\r\n\r\n".encode()
    )
    dialogue.connect(port + 2).says(long)
    # A body whose segment begins like a request.
    dialogue.connect(port + 3).says(b"POST / HTTP/1.1\r\n\r\n").says(f"GET {word}".encode()).says(form)
    dialogue.connect(port + 4).says(f"CONNECT me:{word}@cheddar:443 HTTP/1.1\r\n\r\n".encode()).hears(
        answered
    )
    return dialogue.file()


def http2(word: str) -> bytes:
    """HTTP/2 and gRPC: fields of every kind, trailers, data, words beside errors."""
    client, server = Encoder(), Encoder()
    dialogue = Dialogue()
    connection = dialogue.connect(41000, 50051)
    connection.says(frames.OPENING).hears(frames.SETTINGS_FRAME)
    for number, target in enumerate(TARGETS):
        asked = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", target.replace("%%", "%").replace("%s", word)),
            (":authority", f"me:{word}@cheddar"),
            *((name, word) for name in ("authorization", "cookie", "x-api-key", "grpc-metadata-bin", word)),
            ("content-type", "application/grpc"),
        ]
        heard = [(":status", "200"), ("set-cookie", word), ("content-type", "application/grpc")]
        trailers = [("grpc-status", "16"), ("grpc-message", word), ("x-token", word)]
        stream = 1 + 2 * number
        said = word.encode()
        connection.says(frames.headers(client, stream, asked) + frames.data(stream, said, end=True))
        connection.hears(frames.headers(server, stream, heard) + frames.data(stream, said))
        connection.hears(frames.headers(server, stream, trailers, end=True))
    connection.hears(frames.goaway(11, word.encode()))
    return dialogue.file()


def redis(word: str) -> bytes:
    said = word.encode()
    dialogue = Dialogue()
    connection = dialogue.connect(42000, 6379)
    connection.says(command(b"AUTH", b"me", said) + b"AUTH " + said + b"\r\n").hears(
        b"+OK\r\n-ERR %b\r\n" % said
    )
    connection.says(command(b"HELLO", b"3", b"AUTH", b"me", said)).hears(b"-WRONGPASS %b\r\n" % said)
    connection.says(command(b"CONFIG", b"SET", b"requirepass", said)).hears(b"-%b\r\n" % said)
    connection.says(command(b"SET", said, said) + command(said)).hears(b"+OK\r\n-NOAUTH %b\r\n" % said)
    connection.says(command(b"SUBSCRIBE", said))
    return dialogue.file()


def postgresql(word: str) -> bytes:
    said = word.encode()
    dialogue = Dialogue()
    connection = dialogue.connect(43000, 5432)
    connection.says(startup(body=b"user\0%b\0database\0%b\0\0" % (said, said)))
    connection.hears(message(b"R", b"\0\0\0\3")).says(message(b"p", said + b"\0"))
    connection.hears(message(b"R", bytes(4)) + READY)
    for text in (b"ALTER ROLE me PASSWORD '%b'", b"%b", b"/* %b */ SELECT '%b'"):
        connection.says(query(text.replace(b"%b", said)))
        connection.hears(error(b"ERROR", b"28P01", said) + READY)
    connection.says(message(b"P", b"%b\0SELECT %b\0\0\0" % (said, said)) + message(b"B", b"\0%b\0" % said))
    return dialogue.file()


def kafka(word: str) -> bytes:
    said = word.encode()
    dialogue = Dialogue()
    connection = dialogue.connect(44000, 9092)
    connection.says(request(17, 1, 1, b"\0\5PLAIN", client=said)).hears(answer(1, bytes(6)))
    connection.says(request(36, 2, 2, b"\0me\0" + said)).hears(answer(2, b"\0\x3a\0\x20" + said))
    connection.says(request(0, 9, 3, said * 9, client=said)).hears(answer(3, said * 9))
    return dialogue.file()


def quoted(word: str) -> bytes:
    """Errors of ICMP that quote packets, neighbours and others, with words in them."""
    said = b"Authorization: " + word.encode() + b64encode(word.encode())
    dialogue = Dialogue()
    asked = packets.ipv4(CLIENT, SERVER, 6, packets.tcp(40000, 80, b"GET / HTTP/1.1\r\n" + said))
    for kind, code in ((3, 1), (3, 3), (3, 4), (11, 0), (5, 0), (12, 0)):
        dialogue.frame(packets.ipv4(SERVER, CLIENT, 1, bytes((kind, code, 0, 0)) + bytes(4) + asked))
    dialogue.frame(packets.ipv4(CLIENT, SERVER, 1, bytes((8, 0, 0, 0)) + said))
    dialogue.frame(packets.ipv4(CLIENT, SERVER, 17, packets.udp(514, 514, said)))
    dialogue.records.append(Record(packets.ethernet(b"\0\1\x08\0\6\4\0\1" + said, 0x0806)))
    return dialogue.file()


def names(word: str) -> bytes:
    """Where a name is what one wants to read, so shows: DNS, SNI, Host, path, authority."""
    dialogue = Dialogue()
    for rcode in (0, 3, None):
        dialogue.dns(word.replace(".", "-")[:60] or "x", rcode=rcode, identity=7 + (rcode or 9))
    said = word.encode()
    asked = b"GET /" + b"".join(said.split()) + b" HTTP/1.1\r\nHost: " + said + b"\r\n\r\n"
    dialogue.connect(45000).says(asked).hears(b"HTTP/1.1 500 " + said + b"\r\n\r\n")
    dialogue.connect(45001, 443).says(client_hello(said)).hears(b"\x15\x03\x03\0\2\2\x28")
    client, server = Encoder(), Encoder()
    fields = [(":method", "GET"), (":scheme", "http"), (":path", f"/{word}"), (":authority", word)]
    connection = dialogue.connect(45002, 50051)
    connection.says(frames.OPENING + frames.headers(client, 1, fields, end=True))
    connection.hears(frames.headers(server, 1, [(":status", "503")], end=True))
    return dialogue.file()


def client_hello(name: bytes) -> bytes:
    """With a server name (RFC 6066)."""
    entry = b"\0" + len(name).to_bytes(2, "big") + name
    listed = len(entry).to_bytes(2, "big") + entry
    extensions = b"\0\0" + len(listed).to_bytes(2, "big") + listed
    body = (
        b"\3\3"
        + bytes(32)
        + b"\0"
        + b"\0\2\x13\x01"
        + b"\1\0"
        + len(extensions).to_bytes(2, "big")
        + extensions
    )
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + len(hello).to_bytes(2, "big") + hello


SECRETLY = {
    "HTTP": http,
    "HTTP/2": http2,
    "Redis": redis,
    "PostgreSQL": postgresql,
    "Kafka": kafka,
    "ICMP": quoted,
}
"""Of each protocol what makes a capture around a secret."""
