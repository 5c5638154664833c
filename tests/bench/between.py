"""Merging and comparing the taps of a large capture, as ratios to tshark's own pass over the merged file."""

import resource
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.figure import Figure
from tests.workers.summary import packets

_PODS, _PACKETS, _OF_A_CONNECTION = 60, 10_000, 100
_NOW = 1_700_000_000
_TSHARK = ["tshark", "-n", "-q", "-z", "conv,tcp", "-r"]
_MERGE = """
import sys
from pathlib import Path
from workers.pcapng.about import About
from workers.pcapng.file import merged_file
target, *sources = map(Path, sys.argv[1:])
merged_file(sources, target, About("cap-bench", "podcap"), [About("", "", each.stem) for each in sources])
"""
_COMPARE = """
import sys
from pathlib import Path
from workers.names.snapshot import Snapshot
from workers.vantage.compared import compared
from workers.vantage.vantage import Vantage
pods = [
    Vantage(n, f"shop/pod-{n}", "pod", f"node{n % 3}", (f"10.244.{n % 3}.{n + 2}",), dropped=0)
    for n in range(int(sys.argv[2]))
]
found = compared(Path(sys.argv[1]), pods, Snapshot())
assert not found.findings, found.findings
print(found.passage_count)
"""


def figures(folder: Path) -> Iterator[Figure]:
    """60 pods with 10,000 packets each, every packet at the two pods between which it went."""
    sources = [path for pair in range(_PODS // 2) for path in _pair(folder, pair)]
    merged = folder / "merged.pcapng"
    merging, _ = _run(["-c", _MERGE, str(merged), *map(str, sources)])
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([*_TSHARK, str(merged)], capture_output=True, check=True)
    tshark = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    comparing, said = _run(["-c", _COMPARE, str(merged), str(_PODS)])
    assert int(said) == _PODS // 2 * _PACKETS // _OF_A_CONNECTION
    yield Figure("packets at 60 taps", _PODS * _PACKETS, "")
    yield Figure("CPU time of merging them to tshark's of the merged file", merging / tshark, "x", 0.7)
    yield Figure("CPU time of comparing the taps to that", comparing / tshark, "x", 1.6)


def _run(arguments: Sequence[str]) -> tuple[float, str]:
    """CPU seconds with all children, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def _pair(folder: Path, pair: int) -> Iterator[Path]:
    """What went between two pods, at the one and, 20 µs before or later, at the other."""
    numbers = 2 * pair, 2 * pair + 1
    ends = [f"10.244.{number % 3}.{number + 2}" for number in numbers]
    records: tuple[list[bytes], list[bytes]] = ([], [])
    for number in range(_PACKETS):
        connection, place = divmod(number, _OF_A_CONNECTION)
        back, client = place % 2, 20_000 + connection
        flags = packets.ACK | (packets.SYN if place < 2 else 0)
        flags ^= packets.ACK if not place else 0
        own, others = connection * 7919 + pair, connection * 104_729 + pair
        segment = packets.tcp(
            *((80, client) if back else (client, 80)),
            flags=flags,
            sequence=(others if back else own) + (place + 1) // 2,
            acknowledged=(own if back else others) + (place + 1) // 2 if place else 0,
        )
        datagram = packets.ipv4(ends[back], ends[1 - back], 6, segment, identity=number % 0xFFFF + 1)
        frame = packets.ethernet(datagram)
        for at, taken in enumerate(records):
            microsecond = number * 500 + pair + (20 if at != back else 0)
            time = struct.pack("<II", _NOW + microsecond // 1_000_000, microsecond % 1_000_000)
            taken.append(time + struct.pack("<II", len(frame), len(frame)) + frame)
    for number, taken in zip(numbers, records, strict=True):
        path = folder / f"{number}.pcap"
        path.write_bytes(packets.pcap([]) + b"".join(taken))
        yield path
