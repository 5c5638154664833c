"""TLS read in large blocks, against Python's own TLS socket at the other end."""

import hashlib
import ipaddress
import os
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.hangs import HANGS
from workers.cluster.tls import TlsSocket

Serve = Callable[[Callable[[ssl.SSLSocket], None]], socket.socket]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    (folder / "both.pem").write_bytes(
        built.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption())
    )
    return folder / "both.pem"


@pytest.fixture
def trust(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def serve(certificate: Path, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Serves one connection as told; the client's socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = request.param
    opened: list[socket.socket] = []
    threads = []

    def start(behave: Callable[[ssl.SSLSocket], None]) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    with context.wrap_socket(connection, server_side=True) as tls:
                        behave(tls)
                except OSError:
                    return  # the client refused, or left

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        client = socket.create_connection(listener.getsockname(), timeout=HANGS)
        opened.append(client)
        return client

    yield start
    for one in opened:
        one.close()
    for thread in threads:
        thread.join(10)


@pytest.mark.parametrize("room", [1, 1000, 16 << 10, 1 << 18])
def test_every_byte_arrives_in_order_whatever_the_sizes(
    serve: Serve, trust: ssl.SSLContext, room: int
) -> None:
    whole = os.urandom(room * 40 if room < 1000 else 5_000_000)

    def pump(tls: ssl.SSLSocket) -> None:
        rest = memoryview(whole)
        while rest:
            step = random.randint(1, 70_000)
            tls.sendall(rest[:step])
            rest = rest[step:]
        tls.unwrap()

    client = TlsSocket(serve(pump), trust, "127.0.0.1")
    buffer, got = bytearray(room), bytearray()
    while count := client.recv_into(buffer):
        got += buffer[:count]
    assert hashlib.sha256(got).digest() == hashlib.sha256(whole).digest()
    assert client.recv_into(buffer) == 0


def test_what_is_sent_arrives_and_is_answered(serve: Serve, trust: ssl.SSLContext) -> None:
    def echo(tls: ssl.SSLSocket) -> None:
        while data := tls.recv(1 << 16):
            tls.sendall(data)

    client = TlsSocket(serve(echo), trust, "127.0.0.1")
    said = os.urandom(1000)
    client.sendall(said[:100])
    assert client.send(said[100:1000]) == 900
    got = b""
    while len(got) < 1000:
        got += client.recv(4096)
    assert got == said[:1000]


def test_a_connection_that_is_cut_ends_without_a_word(serve: Serve, trust: ssl.SSLContext) -> None:
    def leave(tls: ssl.SSLSocket) -> None:
        tls.sendall(b"some")
        tls.shutdown(socket.SHUT_RDWR)

    client = TlsSocket(serve(leave), trust, "127.0.0.1")
    assert client.recv(4) == b"some"
    assert client.recv(4) == b""


def test_silence_is_a_timeout_and_loses_nothing(serve: Serve, trust: ssl.SSLContext) -> None:
    go = threading.Event()

    def wait(tls: ssl.SSLSocket) -> None:
        go.wait(10)
        tls.sendall(b"late")
        tls.recv(1)

    client = TlsSocket(serve(wait), trust, "127.0.0.1")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(10)
    client.settimeout(10)
    go.set()
    assert client.recv(10) == b"late"


def idle(_: ssl.SSLSocket) -> None:
    """Leaves after the handshake."""


def test_a_server_that_nobody_vouches_for_or_of_another_name_is_refused(
    serve: Serve, trust: ssl.SSLContext
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsSocket(serve(idle), ssl.create_default_context(), "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsSocket(serve(idle), trust, "127.0.0.2")
