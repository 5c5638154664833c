"""An agent pod of our own: the programs run for real, in a network namespace with a link that has traffic."""

import contextlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.hangs import HANGS
from workers.agent.agent import AgentPod
from workers.agent.pod_spec import CAPABILITIES
from workers.cluster.errors import ExecCutError
from workers.cluster.exec import STDOUT, Completed
from workers.tap.tap import Tap


def rights(*capabilities: str) -> tuple[str, ...]:
    """A command in front of another one that leaves uid 0 these capabilities and no others."""
    left = "".join(f",+{name.lower()}" for name in capabilities)
    return ("setpriv", "--bounding-set", f"-all{left}", "--inh-caps", "-all")


def inside(namespace: int) -> list[str]:
    """A command in front of another one that runs it in a network namespace, named by a process there."""
    return ["nsenter", "-t", str(namespace), "-n"]


@dataclass
class LocalStream:
    """A process's output as an exec carries it; may be cut after a number of bytes, as connections are."""

    process: subprocess.Popen[bytes]
    poll: Callable[[], None] | None
    cut_after: int | None
    exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        # Nobody reads its pipes any more; the process itself lives on.
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def say(self, data: bytes) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), data)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        assert self.process.stdout is not None
        left = self.cut_after
        while piece := os.read(self.process.stdout.fileno(), 4096 if left is None else min(4096, left)):
            yield STDOUT, piece
            if self.poll is not None:
                self.poll()
            if left is not None:
                left -= len(piece)
                if not left:
                    raise ExecCutError("cut by the test")
        self.exit_code = self.process.wait(timeout=HANGS)


@dataclass(frozen=True)
class LocalAgent(AgentPod):
    """Runs what an agent pod would be asked to run."""

    namespace: int = 0
    path: str = os.environ["PATH"]
    capabilities: Sequence[str] = CAPABILITIES
    cuts: list[int] = field(default_factory=list)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, argv: Sequence[str], **_: Any) -> Completed:
        process = self._start(argv)
        stdout, stderr = process.communicate(timeout=HANGS)
        return Completed(process.returncode, stdout, stderr)

    def stream(
        self,
        argv: Sequence[str],
        *,
        stdin: bool = False,
        poll: Callable[[], None] | None = None,
        **_: Any,
    ) -> Any:
        cut_after = self.cuts.pop(0) if self.cuts else None
        if cut_after == 0:
            raise ExecCutError("cut by the test")
        return LocalStream(self._start(argv, stdin=stdin), poll, cut_after)

    def why_gone(self) -> str:
        return ""

    def why_out_of_reach(self) -> str:
        return ""

    def _start(self, argv: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        program = shutil.which(argv[0], path=self.path)
        assert program is not None
        process = subprocess.Popen(
            [
                *inside(self.namespace),
                *rights(*self.capabilities),
                "env",
                f"PATH={self.path}",
                program,
                *argv[1:],
            ],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process


_SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    count, size, pause = line.split()
    for n in range(int(count)):
        s.sendto(n.to_bytes(8, "big").ljust(int(size), b"."), ("10.98.0.2", 9999))
        float(pause) and time.sleep(float(pause))
    print("sent", flush=True)
"""


@dataclass(frozen=True)
class Link:
    """A link with two ends in a network namespace of its own, and a program there that sends."""

    namespace: int
    tap: Tap
    sender: "subprocess.Popen[str]"

    def send(self, count: int, *, size: int = 100, pause: float = 0.0) -> None:
        """Sends numbered UDP packets from one end to the other, which drops them; at once, as it runs."""
        assert self.sender.stdin is not None
        assert self.sender.stdout is not None
        self.sender.stdin.write(f"{count} {size} {pause}\n")
        self.sender.stdin.flush()
        assert self.sender.stdout.readline() == "sent\n"


@contextmanager
def made_link() -> Iterator[Link]:
    """A link, gone with its namespace at the end."""
    with ExitStack() as stack:
        holder = stack.enter_context(
            subprocess.Popen(
                ["unshare", "-n", "sh", "-c", "echo up; exec sleep infinity"], stdout=subprocess.PIPE
            )
        )
        stack.callback(holder.kill)
        assert holder.stdout is not None
        holder.stdout.readline()
        for command in (
            "ip link add tapped type veth peer name far",
            "ip addr add 10.98.0.1/24 dev tapped",
            "ip link set tapped up",
            "ip link set far up",
            # Nobody answers at the far end: the neighbour is told, so that packets go out at once.
            "ip neigh add 10.98.0.2 lladdr 02:00:00:00:00:02 dev tapped",
        ):
            subprocess.run([*inside(holder.pid), *command.split()], check=True)
        program = [*inside(holder.pid), sys.executable, "-c", _SENDER]
        sender = stack.enter_context(
            subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        yield Link(holder.pid, Tap("n1", "tapped", 2, "namespace", ("x",), "high"), sender)


def spooling(folder: Path) -> list[int]:
    """The processes that work in a folder: tcpdump, its timeout, its supervisor."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").resolve() in (folder, folder / "run"):
                found.append(int(process.name))
    return found


def packets(path: Path) -> list[bytes]:
    """The records of a pcap file, without their headers; the file must end where a record does."""
    data = path.read_bytes()
    at, found = 24, []
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        found.append(data[at + 16 : at + 16 + size])
        at += 16 + size
    assert at == len(data)
    return found


def numbers(path: Path) -> list[int]:
    """The numbers of the numbered packets, in the order of the file."""
    return [int.from_bytes(one[42:50], "big") for one in packets(path) if one[36:38] == b"\x27\x0f"]
