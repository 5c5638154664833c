"""The trail: appending an entry on SQLite, and `podcap audit verify` of a million of them in flat memory."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, insert

from tests.bench.figure import Figure
from tests.orders import order
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
from workers.ledger.schema import captures, trail
from workers.ledger.states import State
from workers.trail.chain import BEFORE_THE_FIRST, entry_hash
from workers.trail.entry import Entry, canonical

_APPENDED, _ROUNDS = 5_000, 3
_BEFORE = 10_000
_ORDER = order(
    pod="cheddar-845749dbd6-zcdjm",
    filter="tcp port 80",
    team_id="T0123456789",
    channel_id="C0123456789",
    user_id="U0123456789",
)
_FEW, _MANY = 100_000, 1_000_000
_EACH = 8
"""Entries of one capture."""


def figures(folder: Path) -> Iterator[Figure]:
    """Appends first, then verifies in processes of their own, whose memory the kernel tells."""
    yield from _appending(folder)
    few = _verified(_filled(folder, _FEW), _FEW)
    many = _verified(_filled(folder, _MANY), _MANY)
    yield Figure(f"verify of {_MANY:,} entries about {_MANY // _EACH:,} captures", many[0], "s", 60)
    yield Figure("memory of that", many[1], "MiB")
    yield Figure("growth of that memory from 100,000 entries", many[1] - few[1], "MiB", 16)


def _appending(folder: Path) -> Iterator[Figure]:
    engine = open_engine(_filled(folder, _BEFORE))
    ledger = Ledger(engine)
    capture, _ = ledger.request(_ORDER)
    rounds = [_append(ledger, capture.id) for _ in range(_ROUNDS)]
    assert ledger.trail.verify().entries == _BEFORE + 1 + _ROUNDS * _APPENDED
    engine.dispose()
    # Other processes on the machine make a round slower, nothing makes one faster than podcap is.
    median, p99 = min(rounds, key=lambda figures: figures[1])
    what = f"of {_APPENDED:,} appends to SQLite, the best of {_ROUNDS} rounds"
    yield Figure(f"median {what}", median, "ms")
    yield Figure(f"p99 {what}", p99, "ms", 2)


def _append(ledger: Ledger, capture_id: str) -> tuple[float, float]:
    """Median and 99th percentile of one round, in milliseconds."""
    took = []
    for number in range(_APPENDED):
        facts = {"name": "cap-7f3k9q.pcap", "sha256": f"{number:064x}", "to": "C0123456789"}
        start = time.perf_counter()
        ledger.record(capture_id, "file delivered", by="worker@podcap-worker-6c5d9f7b8-x2k4q", facts=facts)
        took.append(1000 * (time.perf_counter() - start))
    percentiles = statistics.quantiles(took, n=100)
    return percentiles[49], percentiles[98]


def _filled(folder: Path, count: int) -> str:
    """The URL of a new database with a trail of so many entries."""
    url = f"sqlite:///{folder}/{count}.db"
    engine = open_engine(url)
    migrate(engine)
    _fill(engine, count)
    engine.dispose()
    return url


def _fill(engine: Engine, count: int) -> None:
    entries = _entries(count)
    with engine.begin() as connection:
        while some := [entry._asdict() for entry in islice(entries, 10_000)]:
            connection.execute(insert(trail), some)
        now = datetime.now(UTC)
        known = {"state": State.CAPTURING, "requested_at": now, "expires_at": now}
        ids = (_id(number) for number in range(1, count + 1, _EACH))
        while some := [
            asdict(_ORDER) | known | {"id": one, "idempotency_key": one} for one in islice(ids, 10_000)
        ]:
            connection.execute(insert(captures), some)


def _id(number: int) -> str:
    return f"cap-{(number - 1) // _EACH:06}"


def _entries(count: int) -> Iterator[Entry]:
    previous = BEFORE_THE_FIRST
    for number in range(1, count + 1):
        entry = Entry(
            number,
            f"2026-01-31T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z",
            "capturing",
            _id(number),
            "traefik",
            f"cheddar-845749dbd6-{number // 8 % 100:05}",
            "worker@podcap-worker-6c5d9f7b8-x2k4q",
            canonical(
                {
                    "confidence": "high",
                    "filter": "tcp port 80",
                    "from": "tapping",
                    "interface": "veth09b7438a",
                    "node": "node-1",
                    "packets": number,
                }
            ),
            "",
        )
        previous = entry_hash(previous, entry)
        yield entry._replace(hash=previous)


_VERIFY = """
import re, sys, time
from pathlib import Path
from bot.terminal.main import main
start = time.perf_counter()
sys.argv[1:] = ["audit", "verify"]
assert main() == 0
took = time.perf_counter() - start
# getrusage's maximum is inherited from whoever started this process (getrusage(2) does not say so).
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(took, int(peak[1]) / 1024)
"""


def _verified(url: str, count: int) -> tuple[float, float]:
    """Seconds, and the process's largest resident memory in MiB."""
    environment = os.environ | {"PODCAP_DATABASE_URL": url}
    answer = subprocess.run(
        [sys.executable, "-c", _VERIFY], env=environment, capture_output=True, text=True, check=True
    )
    verdict, _, figures = answer.stdout.splitlines()
    assert verdict == f"The trail is intact: {count:,} entries."
    seconds, memory = figures.split()
    return float(seconds), float(memory)
