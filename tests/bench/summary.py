"""The summary of a big capture file, as ratios to what `tshark -q -z conv,tcp` takes of the same file."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import mixed_traffic
from tests.bench.figure import Figure

_PACKETS, _FLOWS = 1_000_000, 38_000
_PODCAP = (sys.executable, "-m", "bot.terminal.main", "summarize")
_MIB = 1 << 20

_DPKT = """
import sys, dpkt
flows = {}
with open(sys.argv[1], "rb") as file:
    for when, data in dpkt.pcap.Reader(file):
        ip = dpkt.ethernet.Ethernet(data).data
        if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, (dpkt.tcp.TCP, dpkt.udp.UDP)):
            key = ip.src, ip.data.sport, ip.dst, ip.data.dport
            counts = flows.setdefault(key, [0, 0])
            counts[0] += 1
            counts[1] += len(data)
print(len(flows))
"""
_NFSTREAM = """
import sys
from nfstream import NFStreamer
print(sum(1 for _ in NFStreamer(source=sys.argv[1], n_meters=1)))
"""

_CHART = """
import json, sys
from workers.picture.picture import chart_of, picture
from workers.summary.summary import Summary
picture(chart_of(Summary.from_json(json.load(open(sys.argv[1]))), "traefik/cheddar"))
"""
_PCAPNG = """
import sys
from pathlib import Path
from workers.pcapng.about import About
from workers.pcapng.file import merged_file
about = About("cap-bench", "podcap")
merged_file([Path(sys.argv[1])], Path(sys.argv[2]), about, [about])
"""


@dataclass(frozen=True)
class _Run:
    """CPU seconds and the most memory in bytes, of the largest process and of all together."""

    seconds: float
    largest: int
    together: int


def figures(folder: Path) -> Iterator[Figure]:
    """Writes files of 300 thousand, one and three million packets, 2.6 GB at most at a time."""
    big = folder / "big.pcap"
    packets = mixed_traffic.write(big, packets=_PACKETS, flows=_FLOWS)
    yield Figure("packets in the big capture file", packets, "")
    tshark = _run(["tshark", "-n", "-q", "-r", str(big), "-z", "conv,tcp"])
    yield Figure("CPU time of tshark -q -z conv,tcp", tshark.seconds, "s")
    podcap = _run([*_PODCAP, str(big), "--json"], keep=folder / "big.json")
    yield Figure("CPU time of podcap summarize --json to that", podcap.seconds / tshark.seconds, "x", 0.35)
    yield Figure("peak memory of its largest process", podcap.largest / _MIB, "MiB", 150)
    yield Figure("peak memory of all its processes", podcap.together / _MIB, "MiB", 350)
    told = json.loads((folder / "big.json").read_bytes())
    assert (told["flow_count"], told["totals"]["packets"]) == (_FLOWS, packets)
    yield from _more(big, told, tshark)
    yield from _others(big, podcap, tshark)
    big.unlink()
    yield from _growth(folder, podcap)


def _more(file: Path, told: Mapping[str, object], tshark: _Run) -> Iterator[Figure]:
    """What comes on top of the summary in a capture: each in a process of its own, with its imports."""
    summary, pcapng = file.with_name("few.json"), file.with_name("big.pcapng")
    summary.write_text(json.dumps({**told, "flows": []}))
    for name, argv in (("the chart", [_CHART, summary]), ("writing pcapng", [_PCAPNG, file, pcapng])):
        run = _run([sys.executable, "-c", *map(str, argv)])
        yield Figure(f"CPU time of {name} to tshark's", run.seconds / tshark.seconds, "x", 0.25)
        yield Figure(f"peak memory of {name}, of its largest process", run.largest / _MIB, "MiB", 150)
    pcapng.unlink()


def _others(file: Path, podcap: _Run, tshark: _Run) -> Iterator[Figure]:
    """What else counts flows; each has to be slower. Left out where it is not installed (`pip install`)."""
    for name, code in (("dpkt", _DPKT), ("nfstream", _NFSTREAM)):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: it is left out.")
            continue
        other = _run([sys.executable, "-c", code, str(file)])
        yield Figure(f"CPU time of a loop with {name} to tshark's", other.seconds / tshark.seconds, "x")
        yield Figure(f"CPU time of podcap to that of {name}", podcap.seconds / other.seconds, "x", 1)


def _growth(folder: Path, million: _Run) -> Iterator[Figure]:
    """Time from 300 thousand to 3 million packets, and memory, with as many flows."""
    path = folder / "sized.pcap"
    path.write_bytes(b"")
    mixed_traffic.write(path, packets=0, flows=0)
    empty = _least(path)
    runs = []
    for size in (300_000, 3_000_000):
        packets = mixed_traffic.write(path, packets=size, flows=_FLOWS * size // 3_000_000)
        runs.append((packets, _least(path)))
    path.unlink()
    (few, short), (many, long) = runs
    times = (long.seconds - empty.seconds) / (short.seconds - empty.seconds)
    linear = times / (many / few)
    yield Figure("CPU time per packet, 3,000,000 to 300,000 packets", linear, "x", 1.2)
    yield Figure("the reverse of it", 1 / linear, "x", 1.25)
    yield Figure("peak memory at 3,000,000 packets to 1,000,000", long.largest / million.largest, "x", 1.02)


def _least(file: Path) -> _Run:
    """The least of three summaries: a run of less than a second varies by a tenth."""
    return min((_run([*_PODCAP, str(file), "--json"]) for _ in range(3)), key=lambda run: run.seconds)


def _run(argv: Sequence[str], keep: Path | None = None) -> _Run:
    """Runs a program to its end; its processes are looked at every 20 ms."""
    with (keep or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.DEVNULL)
    watch = _Watch(process.pid)
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.ended.set()
    watch.join()
    assert process.returncode == 0, argv
    return _Run(usage.ru_utime + usage.ru_stime, max(watch.largest, 1), max(watch.together, 1))


class _Watch(threading.Thread):
    """The resident memory of a process and all it started."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.ended = threading.Event()
        self.largest = self.together = 0

    def run(self) -> None:
        while not self.ended.wait(0.02):
            sizes = [_resident(each) for each in _tree(self._process)]
            self.largest = max([self.largest, *(peak for _, peak in sizes)])
            self.together = max(self.together, sum(now for now, _ in sizes))


def _tree(process: int) -> list[int]:
    found = [process]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            time.sleep(0)
    return found


def _resident(process: int) -> tuple[int, int]:
    """Bytes now, and at most since it began."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0, 0
    kibibytes = dict(re.findall(r"^Vm(RSS|HWM):\s+(\d+)", status, re.MULTILINE))
    return int(kibibytes.get("RSS", 0)) << 10, int(kibibytes.get("HWM", 0)) << 10
