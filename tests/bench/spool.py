"""A capture at 50,000 packets a second, beside a plain tcpdump on the same interface at the same time."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.workers.spool.local import Link, LocalAgent, inside, made_link
from workers.cluster.pod import Pod
from workers.spool.spool import Spool, SpoolLimits

_PACKETS_A_SECOND = 50_000
_SECONDS = 5

# Sends in bursts of a millisecond, each by one sendmmsg(2), and makes up for late ones; prints how many a
# second it came to. It takes its turn like everybody: in front of both captures it would starve them.
_SENDER = """
import ctypes, socket, sys, time
libc, rate, seconds = ctypes.CDLL(None, use_errno=True), int(sys.argv[1]), int(sys.argv[2])
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(("10.98.0.2", 9999))
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_size_t),
                ("pieces", ctypes.POINTER(Piece)), ("count", ctypes.c_size_t),
                ("rest", ctypes.c_size_t * 4)]
burst, piece = rate // 1000, Piece(b"." * 200, 200)
messages = (Message * burst)(*[Message(pieces=ctypes.pointer(piece), count=1)] * burst)
began = due = time.perf_counter()
for _ in range(seconds * 1000):
    assert libc.sendmmsg(sender.fileno(), messages, burst, 0) == burst
    due += 0.001
    if (pause := due - time.perf_counter()) > 0:
        time.sleep(pause)
print(seconds * 1000 * burst / (time.perf_counter() - began))
"""


def figures(folder: Path) -> Iterator[Figure]:
    """Needs root, for a network namespace."""
    with made_link() as link:
        plain = _plain_tcpdump(link, folder / "plain.pcap")
        agent = LocalAgent(
            None,  # type: ignore[arg-type]
            Pod("podcap", "podcap-cap-1", "u", "Running", node="n1"),
            "cap-1",
            namespace=link.namespace,
        )
        spool, here = Spool(agent, directory=str(folder)), folder / "here.pcap"
        limits = SpoolLimits(seconds=_SECONDS + 5, packets=10_000_000, bytes=1 << 30)
        spool.start(link.tap, "udp port 9999", limits)
        sender = subprocess.Popen(
            [*inside(link.namespace), sys.executable, "-c", _SENDER, str(_PACKETS_A_SECOND), str(_SECONDS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        spool.follow(here, should_stop=lambda: sender.poll() is not None)
        report = spool.finish(here)
        rate = float(sender.communicate()[0])
        plain.send_signal(signal.SIGINT)
        words = plain.communicate()[1]
    lost = re.search(r"(\d+) packets? dropped by kernel", words)
    assert lost is not None
    assert report.packets_dropped_by_kernel is not None
    yield Figure("packets sent a second beside two captures", rate, "")
    yield Figure("fewer than the 50,000 that were to be sent", max(_PACKETS_A_SECOND - rate, 0), "", 500)
    yield Figure("of those sent, captured by podcap", report.packets_captured or 0, "")
    yield Figure("of them dropped by a plain tcpdump", int(lost[1]), "")
    yield Figure("of them dropped by podcap's", report.packets_dropped_by_kernel, "", int(lost[1]))


def _plain_tcpdump(link: Link, file: Path) -> "subprocess.Popen[str]":
    argv = ["tcpdump", "-i", link.tap.interface, "-Z", "root", "-w", str(file), "udp port 9999"]
    process = subprocess.Popen([*inside(link.namespace), *argv], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "listening" not in process.stderr.readline():
        assert process.poll() is None
    return process
