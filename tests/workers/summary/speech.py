"""Conversations byte by byte: HTTP, DNS and real TLS handshakes, as frames of a capture."""

import ssl
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, PSH, SYN, Record

CLIENT, SERVER = "10.244.2.1", "10.244.2.2"
START = 1_700_000_000_000_000_000


class Dialogue:
    """A capture in the making; every packet comes `step` milliseconds after the one before."""

    def __init__(self, step: int = 1) -> None:
        self.records: list[Record] = []
        self._step = step * 1_000_000

    def frame(self, datagram: bytes) -> None:
        time = START + len(self.records) * self._step
        self.records.append(Record(packets.ethernet(datagram), time))

    def file(self) -> bytes:
        return packets.pcap(self.records)

    def connect(self, port: int = 40000, server_port: int = 80) -> "Connection":
        return Connection(self, port, server_port)

    def dns(
        self, name: str, *, kind: int = 1, identity: int = 1, rcode: int | None = 0, port: int = 5353
    ) -> None:
        """A question and its answer, without answer when `rcode` is None."""
        question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        question += struct.pack(">HH", kind, 1)
        asked = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + question
        self.frame(packets.ipv4(CLIENT, SERVER, 17, packets.udp(port, 53, asked)))
        if rcode is not None:
            answer = struct.pack(">HHHHHH", identity, 0x8180 | rcode, 1, 0, 0, 0) + question
            self.frame(packets.ipv4(SERVER, CLIENT, 17, packets.udp(53, port, answer)))


class Connection:
    """A TCP connection, established on creation."""

    def __init__(self, dialogue: Dialogue, port: int, server_port: int) -> None:
        self._dialogue = dialogue
        self._ports = (port, server_port)
        self._next = [1, 1]
        self._segment(0, b"", SYN)
        self._segment(1, b"", SYN | ACK)
        self._next = [2, 2]
        self._segment(0, b"", ACK)

    def says(self, data: bytes) -> "Connection":
        """The client, in segments of 1,400 bytes."""
        return self._says(0, data)

    def hears(self, data: bytes) -> "Connection":
        """The server answers."""
        return self._says(1, data)

    def _says(self, side: int, data: bytes) -> "Connection":
        for at in range(0, len(data), 1400):
            self._segment(side, data[at : at + 1400], PSH | ACK)
            self._next[side] += len(data[at : at + 1400])
        return self

    def _segment(self, side: int, data: bytes, flags: int) -> None:
        source, target = (CLIENT, SERVER) if side == 0 else (SERVER, CLIENT)
        ports = self._ports if side == 0 else self._ports[::-1]
        segment = packets.tcp(
            *ports, data, flags=flags, sequence=self._next[side], acknowledged=self._next[1 - side]
        )
        self._dialogue.frame(packets.ipv4(source, target, 6, segment))


def tls(
    connection: Connection, folder: Path, name: str, *, most: ssl.TLSVersion, least: ssl.TLSVersion
) -> None:
    """A real handshake: a client that speaks at most `most`, a server that wants at least `least`."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.minimum_version = least
    server_context.load_cert_chain(_certificate(folder))
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    client_context.maximum_version = most
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(2):
        for side, outgoing, passes in (
            (client, to_server, connection.says),
            (server, to_client, connection.hears),
        ):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:  # its alert is in the outgoing bytes
                passes(outgoing.read())
                return
            data = outgoing.read()
            outgoing.write(data)
            passes(data)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cheddar")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
