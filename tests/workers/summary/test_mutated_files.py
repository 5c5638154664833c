"""Files with faults: no crash, bounded memory, what could be read, and a sentence."""

import base64
import io
import logging
import os
import resource
import zlib
from pathlib import Path

import pytest

from tests.workers.summary import mutate, oracle
from tests.workers.summary.told import message_of, printed, summary_of, typed
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import PcapError
from workers.summary.flows.counted import Counted
from workers.summary.flows.counting import Counting

log = logging.getLogger(__name__)

FEW = 1500
BY_TSHARK = 500
MANY = int(os.environ.get("MUTATED_FILES", "200000"))
MOST_MEMORY = 64 << 20
"""Bytes by which reading any number of small files may make this process grow."""


def tell(data: bytes) -> int | None:
    """All that is told of a file; how many packets, None where it cannot be read at all."""
    try:
        summary = summary_of(data)
    except PcapError as error:
        assert str(error).endswith(".")  # noqa: PT017, most files can be read
        return None
    totals = summary.totals
    kinds = (totals.tcp, totals.udp, totals.icmp, totals.icmpv6, totals.arp, totals.fragments, totals.other)
    assert sum(kinds) == totals.packets
    assert all(note.endswith(".") for note in summary.notes)
    assert printed(summary).isascii()
    if totals.packets % 7 == 0:  # making messages takes longer than all before
        assert message_of(summary).text
        assert typed(summary)
    return totals.packets


def tell_all(numbers: range) -> tuple[int, int]:
    """How many of these files could be read, and how many packets they had."""
    tell(mutate.mutated(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    readable = packets = 0
    for number in numbers:
        data = mutate.mutated(number)
        try:
            told = tell(data)
        except Exception as error:  # noqa: BLE001, told with the file
            packed = base64.b85encode(zlib.compress(data)).decode()
            pytest.fail(f"file {number} ({packed}): {error!r}")
        readable += told is not None
        packets += told or 0
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_MEMORY
    return readable, packets


def test_files_with_faults_give_what_could_be_read() -> None:
    readable, packets = tell_all(range(FEW))
    assert readable > FEW / 2
    assert packets > 3 * FEW


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_very_many_files_with_faults_give_what_could_be_read() -> None:
    readable, packets = tell_all(range(MANY))
    log.info("%d files, %d readable, %d packets", MANY, readable, packets)
    assert readable > MANY / 2


def counted(data: bytes) -> Counted | None:
    """None of what is no capture file."""
    try:
        file = open_capture(io.BytesIO(data))
        counting = Counting()
        counting.file(file)
    except PcapError:
        return None
    return counting.result()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_of_files_with_faults_tshark_reads_the_same_packets(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    same = together = 0
    for number in range(BY_TSHARK):
        data = mutate.mutated(number)
        path.write_bytes(data)
        told, theirs = counted(data), oracle.packets(path)
        if told is None or told.unknown or theirs is None:
            continue
        together += 1
        same += told.totals.packets == theirs
    log.info("%d files that both can read, the same packets in %d", together, same)
    assert together > BY_TSHARK / 2
    # Behind a damaged record Wireshark tries other forms of pcap, so that one of ten has a few more or less.
    assert same > 0.75 * together
