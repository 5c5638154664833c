"""What the tshark of this machine says about a file."""

import re
import subprocess
from collections import Counter
from pathlib import Path

from tests.hangs import HANGS
from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow

_LINE = re.compile(r"^(\S+) +<-> (\S+) +(\d+) (\d+) \S+ +(\d+) (\d+) \S+ +\d+ ")

Row = tuple[str, str, str, int, int, int, int]
"""Protocol, a, b, packets and bytes from a to b, packets and bytes from b to a."""


def conversations(path: Path) -> Counter[tuple[str, str, str, int, int]]:
    """Protocol, a, b, packets from a to b and from b to a; as often as `-z conv` lists them."""
    found: Counter[tuple[str, str, str, int, int]] = Counter()
    for (protocol, a, b, packets_ab, _, packets_ba, _), times in _rows(path).items():
        found[protocol, a, b, packets_ab, packets_ba] += times
    return found


def exactly(path: Path, *options: str) -> Counter[Row]:
    """The same with bytes behind packets; files are small, because of 10 kB and more tshark rounds them.

    Args:
        path: The file.
        options: Further ones of tshark.
    """
    return _rows(path, *options)


def packets(path: Path) -> int | None:
    """How many packets it reads, up to where the file is damaged; None where it reads none."""
    lines = _tshark(path, "-T", "fields", "-e", "frame.number")
    return len(lines) or None


def counted_exactly(flows: tuple[Flow, ...]) -> Counter[Row]:
    """Flows as `exactly` gives them."""
    return Counter((flow.protocol, str(flow.a), str(flow.b), *flow[3:7]) for flow in flows)


def _rows(path: Path, *options: str) -> Counter[Row]:
    found: Counter[Row] = Counter()
    protocol = ""
    for line in _tshark(path, *options, "-q", "-z", "conv,tcp", "-z", "conv,udp"):
        if line.endswith("Conversations"):
            protocol = line.split()[0]
        elif matched := _LINE.match(line):
            a, b = (_endpoint(side) for side in matched.group(1, 2))
            packets_ba, bytes_ba, packets_ab, bytes_ab = (int(number) for number in matched.group(3, 4, 5, 6))
            found[protocol, a, b, packets_ab, bytes_ab, packets_ba, bytes_ba] += 1
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
