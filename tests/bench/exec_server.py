"""An API server over TLS that does nothing but carry an exec, so that its clients are what is measured.

    python -m tests.bench.exec_server FOLDER

writes FOLDER/kubeconfig, FOLDER/sha256 and one line to standard output when it listens. An exec of `true`
ends at once; of anything else, it carries `MIB` MiB that do not compress, in frames as large as a real API
server's.
"""

import base64
import hashlib
import ipaddress
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

MIB = 1024
_FRAME = 32 << 10
"""A container's output comes in pieces of 32 KiB at most (Go's io.Copy)."""

_POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "source", "namespace": "bench", "uid": "u"},
    "spec": {"containers": [{"name": "tap", "image": "none"}]},
    "status": {"phase": "Running"},
}
_ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]}],
    },
    "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
    "/api/v1/namespaces/bench/pods/source": _POD,
}


def main(folder: Path) -> None:
    """Serves until it is killed."""
    context = _context(folder)
    block = os.urandom(1 << 20)
    digest = hashlib.sha256()
    for _ in range(MIB):
        digest.update(block)
    (folder / "sha256").write_text(digest.hexdigest())
    frames = b"".join(_message(1, block[at : at + _FRAME]) for at in range(0, len(block), _FRAME))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _write_kubeconfig(folder, listener.getsockname()[1])
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, context, frames), daemon=True).start()


def _serve(connection: socket.socket, context: ssl.SSLContext, frames: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with context.wrap_socket(connection, server_side=True) as tls, tls.makefile("rb") as reader:
            while line := reader.readline():
                path, _, query = line.decode().split()[1].partition("?")
                headers = {}
                while header := reader.readline().decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                if path.endswith("/exec"):
                    _carry(tls, headers, b"" if re.search(r"command=true\b", query) else frames)
                    return
                _answer(tls, path)
    except OSError:
        return  # the client left


def _answer(tls: ssl.SSLSocket, path: str) -> None:
    found = _ANSWERS.get(path)
    body = json.dumps(found or {"kind": "Status", "status": "Failure", "code": 404}).encode()
    status = "200 OK" if found else "404 Not Found"
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    tls.sendall(head.encode() + body)


def _carry(tls: ssl.SSLSocket, headers: dict[str, str], frames: bytes) -> None:
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    tls.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        + f"sec-websocket-accept: {accept}\r\nsec-websocket-protocol: v5.channel.k8s.io\r\n\r\n".encode()
    )
    for _ in range(MIB if frames else 0):
        tls.sendall(frames)
    tls.sendall(_message(3, b'{"metadata":{},"status":"Success"}') + b"\x88\x02\x03\xe8")
    while tls.recv(1 << 16):  # until the client has left
        pass


def _message(channel: int, data: bytes) -> bytes:
    length = len(data) + 1
    head = struct.pack("!BB", 0x82, length) if length < 126 else struct.pack("!BBH", 0x82, 126, length)
    return head + bytes([channel]) + data


def _context(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def _write_kubeconfig(folder: Path, port: int) -> None:
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority": str((folder / "tls.crt").resolve()),
    }
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
