"""What the tshark of this machine says about a file."""

import re
import subprocess
from collections import Counter
from pathlib import Path

from tests.hangs import HANGS
from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow

_LINE = re.compile(r"^(\S+) +<-> (\S+) +(\d+) .*? +(\d+) .*? +(\d+) ")


def conversations(path: Path) -> Counter[tuple[str, str, str, int, int]]:
    """Protocol, a, b, packets from a to b and from b to a; as often as `-z conv` lists them."""
    found: Counter[tuple[str, str, str, int, int]] = Counter()
    protocol = ""
    for line in _tshark(path, "-q", "-z", "conv,tcp", "-z", "conv,udp"):
        if line.endswith("Conversations"):
            protocol = line.split()[0]
        elif matched := _LINE.match(line):
            a, b = (_endpoint(side) for side in matched.group(1, 2))
            to_a, to_b = int(matched[3]), int(matched[4])
            found[protocol, a, b, to_b, to_a] += 1
    return found


def frames(path: Path) -> list[tuple[str, int]]:
    """Of every frame its highest-level stream, such as `TCP 3`, and its length."""
    fields = ("tcp.stream", "udp.stream", "frame.len")
    arguments = [part for field in fields for part in ("-e", field)]
    rows = [line.split("\t") for line in _tshark(path, "-T", "fields", *arguments)]
    return [(f"TCP {tcp}" if tcp else f"UDP {udp}" if udp else "", int(length)) for tcp, udp, length in rows]


def counted(flows: tuple[Flow, ...]) -> Counter[tuple[str, str, str, int, int]]:
    """Flows as `conversations` gives them."""
    return Counter(
        (flow.protocol, str(flow.a), str(flow.b), flow.packets_ab, flow.packets_ba) for flow in flows
    )


def _endpoint(text: str) -> str:
    address, _, port = text.rpartition(":")
    return str(Endpoint(address, int(port)))


def _tshark(path: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True, check=False, timeout=HANGS
    )
    return done.stdout.splitlines()
