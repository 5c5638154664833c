"""An exec's stream of 1 GiB over TLS, beside `kubectl exec … cat` of the same in the same run.

Each hands the bytes to a process that only takes them: podcap's stream to its own, kubectl through a pipe, as
who uses it as a client gets them. They take turns, so that whatever else the machine does hinders each alike,
and each ratio is the median of the rounds' own. Hashes are compared apart from what is measured.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.exec_server import MIB
from tests.bench.figure import Figure

_ROUNDS = 5

# Each prints seconds, CPU seconds, and by how many MiB its memory grew.
_PODCAP = """
import hashlib, re, sys, time
from pathlib import Path
from workers.cluster.cluster import connect
from workers.cluster.pod import Pod

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

digest, is_hashing = hashlib.sha256(), sys.argv[2] == "hash"
with connect(sys.argv[1]) as cluster:
    before, began, used = peak(), time.perf_counter(), time.process_time()
    with cluster.stream(Pod("bench", "source", "u", "Running"), "tap", ["cat"], seconds=300) as stream:
        for _, piece in stream:
            if is_hashing:
                digest.update(piece)
    assert stream.exit_code == 0
    assert not is_hashing or digest.hexdigest() == sys.argv[3]
    print(time.perf_counter() - began, time.process_time() - used, peak() - before)
"""

# Nobody can take it faster: neither decrypted nor even copied (MSG_TRUNC, tcp(7)).
_DRAIN = """
import socket, ssl, sys, time
import yaml
cluster = yaml.safe_load(open(sys.argv[1]))["clusters"][0]["cluster"]
port = int(cluster["server"].rpartition(":")[2])
context = ssl.create_default_context(cafile=cluster["certificate-authority"])
with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as tls:
    began, used, total = time.perf_counter(), time.process_time(), 0
    tls.sendall(b"GET /exec?command=cat HTTP/1.1\\r\\nSec-WebSocket-Key: x\\r\\n\\r\\n")
    raw, room = socket.socket(fileno=tls.fileno()), bytearray(1 << 24)
    while total < int(sys.argv[2]) << 20:
        total += raw.recv_into(room, 0, socket.MSG_TRUNC)
    print(time.perf_counter() - began, time.process_time() - used, 0, flush=True)
    raw.detach()
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    seconds: float
    cpu: float
    grown: float = 0.0


def figures(folder: Path) -> Iterator[Figure]:
    """The median of some rounds, in which each has its turn."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.exec_server", str(folder)], stdout=subprocess.PIPE
    )
    with server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            yield from _measured(folder)
        finally:
            server.kill()


def _measured(folder: Path) -> Iterator[Figure]:
    rounds = [(_podcap(folder), _kubectl(folder), _drained(folder)) for _ in range(_ROUNDS)]
    _podcap(folder, "hash")
    _exec(folder, "cat", lambda pipe: _hash(folder, pipe))
    ours, theirs, drained = zip(*rounds, strict=True)
    yield Figure("exec stream of 1 GiB over TLS", MIB / median(one.seconds for one in ours), "MiB/s")
    yield Figure("kubectl exec … cat of the same", MIB / median(one.seconds for one in theirs), "MiB/s")
    yield Figure(
        "the stand-in, drained by nobody who looks", MIB / median(t.seconds for t in drained), "MiB/s"
    )
    pairs = list(zip(ours, theirs, strict=True))
    yield Figure(
        "time of the exec stream, of kubectl's", median(a.seconds / b.seconds for a, b in pairs), "", 1 / 1.5
    )
    yield Figure("CPU of the exec stream", median(one.cpu for one in ours), "s")
    yield Figure("CPU of kubectl's", median(one.cpu for one in theirs), "s")
    yield Figure("CPU of the exec stream, of kubectl's", median(a.cpu / b.cpu for a, b in pairs), "", 0.5)
    limited = median(a.seconds / b.seconds for a, b in zip(drained, ours, strict=True))
    yield Figure("time of draining the stand-in, of the exec stream's", limited, "", 0.9)
    yield Figure("growth of memory while 1 GiB arrived", max(one.grown for one in ours), "MiB", 16)


def _podcap(folder: Path, what: str = "take") -> _Taken:
    return _told(_PODCAP, folder / "kubeconfig", what, (folder / "sha256").read_text())


def _kubectl(folder: Path) -> _Taken:
    """Without what it needs to start, which an exec of `true` tells."""
    start, whole = _exec(folder, "true", _take), _exec(folder, "cat", _take)
    return _Taken(whole.seconds - start.seconds, whole.cpu - start.cpu)


def _exec(folder: Path, command: str, take: Callable[[int], None]) -> _Taken:
    kubectl = [str(Path(sys.executable).with_name("kubectl")), f"--kubeconfig={folder / 'kubeconfig'}"]
    argv = [*kubectl, f"--cache-dir={folder}", "exec", "-n", "bench", "source", "-c", "tap", "--", command]
    began = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as pipe:
        take(pipe.fileno())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return _Taken(time.perf_counter() - began, used.ru_utime + used.ru_stime)


def _take(pipe: int) -> None:
    """Takes everything without copying it."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123, it is no file
        while os.splice(pipe, nothing.fileno(), 1 << 20):
            pass


def _hash(folder: Path, pipe: int) -> None:
    with open(pipe, "rb", closefd=False) as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == (folder / "sha256").read_text()


def _drained(folder: Path) -> _Taken:
    return _told(_DRAIN, folder / "kubeconfig", MIB)


def _told(program: str, *arguments: object) -> _Taken:
    argv: Sequence[str] = [sys.executable, "-c", program, *map(str, arguments)]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True)
    seconds, cpu, grown = map(float, answer.stdout.split())
    return _Taken(seconds, cpu, grown)
