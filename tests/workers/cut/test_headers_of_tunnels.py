"""Tunnels as a kernel makes them, and as tshark reads them once they are cut."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.cut.test_headers_end import TUNNELS, A, B
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from workers.cut.file import cut_file
from workers.cut.headers import SNAPLEN

FIELDS = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.dstport", "udp.dstport", "vxlan.vni", "geneve.vni")

SERVER = """
import socket
tcp, udp = socket.create_server(("10.99.0.2", 80)), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.bind(("fd99::2", 53))
print("ready", flush=True)
connection, _ = tcp.accept()
connection.sendall(connection.recv(1000))
said, client = udp.recvfrom(1000)
udp.sendto(said, client)
"""
CLIENT = """
import socket, sys
said = bytes.fromhex(sys.argv[1])
tcp, udp = socket.create_connection(("10.99.0.2", 80)), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
tcp.sendall(said)
assert tcp.recv(1000) == said
udp.sendto(said, ("fd99::2", 53))
assert udp.recv(1000) == said
"""


def _rows(path: Path) -> list[list[str]]:
    fields = [part for field in FIELDS for part in ("-e", field)]
    # Wireshark takes flannel's port for another protocol (OTV) until it is told.
    command = ["tshark", "-n", "-r", path, "-d", "udp.port==8472,vxlan", "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_tshark_sees_in_cut_tunnels_all_addresses_and_ports(tmp_path: Path) -> None:
    source, target = tmp_path / "spool.pcap", tmp_path / "headers.pcap"
    frames = [
        packets.ethernet(packets.ipv4(A, B, protocol, inside)) for protocol, inside, _ in TUNNELS.values()
    ]
    source.write_bytes(packets.pcap(map(Record, frames)))
    cut_file(source, target)
    before, after = _rows(source), _rows(target)
    assert before == after
    assert len([row for row in after if "," in row[0] or row[2]]) >= 16


@pytest.fixture
def overlay() -> Iterator[tuple[int, int]]:
    """Two network namespaces, `under` between them and a VXLAN over it: the ids of processes in them."""
    if os.geteuid() != 0 or shutil.which("tcpdump") is None:
        pytest.skip("network namespaces need root, and tcpdump")
    with ExitStack() as stack:
        ids = []
        for _ in range(2):
            command = ["unshare", "-n", "sh", "-c", "echo up; exec sleep infinity"]
            holder = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(holder.kill)
            assert holder.stdout is not None
            holder.stdout.readline()
            ids.append(holder.pid)
        _inside(ids[0], f"ip link add under type veth peer name under netns {ids[1]}")
        for own, other, pid in ((1, 2, ids[0]), (2, 1, ids[1])):
            remote = f"local 10.98.0.{own} remote 10.98.0.{other}"
            for command in (
                f"ip addr add 10.98.0.{own}/24 dev under",
                "ip link set under up",
                f"ip link add over type vxlan id 77 dstport 8472 {remote} dev under",
                f"ip addr add 10.99.0.{own}/24 dev over",
                f"ip addr add fd99::{own}/64 dev over nodad",
                "ip link set over up",
            ):
                _inside(pid, command)
        yield ids[0], ids[1]


def _inside(pid: int, command: str) -> None:
    subprocess.run(["nsenter", "-t", str(pid), "-n", *command.split()], check=True)


def test_a_real_overlay_shows_who_talked_and_nothing_they_said(
    overlay: tuple[int, int], tmp_path: Path
) -> None:
    client, server = (["nsenter", "-t", str(pid), "-n"] for pid in overlay)
    # Short enough for all of it to be within the snaplen, so that only the cut can keep it out.
    said = secrets.token_bytes(64)
    source, target = tmp_path / "spool.pcap", tmp_path / "headers.pcap"
    dump = ["tcpdump", "-i", "under", "-U", "--immediate-mode", "-Z", "root", "-s", str(SNAPLEN)]
    with (
        subprocess.Popen([*client, *dump, "-w", str(source)], stderr=subprocess.PIPE) as capturing,
        subprocess.Popen([*server, sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as serving,
    ):
        assert capturing.stderr is not None
        assert serving.stdout is not None
        assert b"listening on" in capturing.stderr.readline()
        assert serving.stdout.readline() == b"ready\n"
        subprocess.run([*client, sys.executable, "-c", CLIENT, said.hex()], check=True, timeout=HANGS)
        capturing.terminate()
    cut_file(source, target)
    kept = target.read_bytes()
    assert said in source.read_bytes()
    assert not [at for at in range(len(said) - 7) if said[at : at + 8] in kept]
    rows = _rows(target)
    assert rows == _rows(source)
    tcp = {(row[0], row[1], row[4], row[6]) for row in rows if row[4]}
    assert ("10.98.0.1,10.99.0.1", "10.98.0.2,10.99.0.2", "80", "77") in tcp
    udp = {(row[0], row[2], row[3], row[5]) for row in rows if row[2]}
    assert ("10.98.0.1", "fd99::1", "fd99::2", "8472,53") in udp
