"""An API server on loopback that answers as it is told: plain requests, and execs frame by frame."""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes.client import Configuration

from workers.cluster.api import Api
from workers.cluster.cluster import Cluster

Reply = Callable[["Client"], None]


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A server's frame (RFC 6455: not masked)."""
    head = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return struct.pack("!BB", head, len(payload)) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", head, 126, len(payload)) + payload
    return struct.pack("!BBQ", head, 127, len(payload)) + payload


def message(channel: int, data: bytes) -> bytes:
    return frame(2, bytes([channel]) + data)


SUCCESS = message(3, b'{"metadata":{},"status":"Success"}')
CLOSE = frame(8, b"\x03\xe8")


@dataclass
class Client:
    """One connection, after its request was read."""

    socket: socket.socket
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    def answer(self, status: int, body: object) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)

    def upgrade(self, subprotocol: str = "v5.channel.k8s.io") -> None:
        key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            + f"sec-websocket-accept: {accept}\r\nsec-websocket-protocol: {subprotocol}\r\n\r\n".encode()
        )

    def receive(self) -> tuple[int, bytes]:
        """The client's next frame, unmasked; its payload must be masked."""
        first, second = self._read(2)
        assert second & 0x80
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self._read(2 if length == 126 else 8), "big")
        key, payload = self._read(4), self._read(length)
        return first & 0x0F, bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more
            data += more
        return data


@dataclass
class Server:
    """Answers each request by the first rule that matches it; remembers all requests."""

    listener: socket.socket
    rules: list[tuple[str, Reply]] = field(default_factory=list)
    requests: list[Client] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def on(self, pattern: str, reply: Reply) -> None:
        """What to do with requests of which `METHOD target` matches."""
        self.rules.append((pattern, reply))

    def json(self, pattern: str, status: int, body: object) -> None:
        self.on(pattern, lambda client: client.answer(status, body))

    def exec(self, *frames: bytes, subprotocol: str = "v5.channel.k8s.io") -> None:
        """What an exec's connection carries before it is closed."""

        def reply(client: Client) -> None:
            client.upgrade(subprotocol)
            for one in frames:
                client.socket.sendall(one)

        self.on("GET .*/exec", reply)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb", buffering=0) as reader, suppress(ConnectionError):
            while line := reader.readline():
                method, target, _ = line.decode().split(" ")
                headers = {}
                while (header := reader.readline().decode().strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                client = Client(connection, method, target, headers)
                client.body = reader.read(int(headers.get("content-length", 0))) or b""
                self.requests.append(client)
                try:
                    reply = next(
                        reply for pattern, reply in self.rules if re.match(pattern, f"{method} {target}")
                    )
                    reply(client)
                except (ConnectionError, TimeoutError):
                    return
                except BaseException as failure:
                    self.failures.append(failure)
                    raise
                if "upgrade" in headers:
                    return


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert not server.failures


@pytest.fixture
def cluster(server: Server) -> Iterator[Cluster]:
    configuration = Configuration()
    configuration.host = server.url
    configuration.api_key["BearerToken"] = "Bearer secret"
    with Cluster(Api(configuration)) as cluster:
        yield cluster


@pytest.fixture
def wire() -> Any:
    """Builders of frames."""

    class Wire:
        frame = staticmethod(frame)
        message = staticmethod(message)
        success = SUCCESS
        close = CLOSE

    return Wire
