"""Cutting while packets arrive; a test that waits in vain fails on pytest's timeout."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from tests.workers.summary.watched import eventually, status
from workers.cut.stream import start_cutting
from workers.summary.confine import NOBODY

pytestmark = pytest.mark.usefixtures("nothing_is_left")

FRAME = packets.ethernet(packets.ipv4("10.0.0.1", "10.0.0.2", 6, packets.tcp(1, 80, b"secret" * 50)))
FILE = packets.pcap([Record(FRAME)])
HEADER, PACKET = FILE[:24], FILE[24:]
CUT = packets.pcap([Record(FRAME, snaplen=54)])[24:]


@contextmanager
def cutting() -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The process, and where one reads what it writes."""
    reading, writing = os.pipe()
    with start_cutting(writing, seconds=60, most=1 << 20) as child:
        os.close(writing)
        yield child, reading
    os.close(reading)


def test_each_packet_is_there_before_the_next_one_comes() -> None:
    with cutting() as (child, reading):
        assert child.stdin is not None
        child.stdin.write(HEADER)
        assert os.read(reading, 4096) == HEADER
        for _ in range(3):
            # In two pieces, as a pipe may give it.
            child.stdin.write(PACKET[:20])
            child.stdin.write(PACKET[20:])
            assert os.read(reading, 4096) == CUT
        child.stdin.close()
        assert os.read(reading, 4096) == b""
        assert child.wait() == 0


def test_it_is_nobody_without_rights() -> None:
    with cutting() as (child, reading):
        assert child.stdin is not None
        child.stdin.write(HEADER)
        assert os.read(reading, 4096) == HEADER
        found = eventually(lambda: status(child.pid) or None)
        child.stdin.close()
    assert (found["CapEff"], found["NoNewPrivs"], found["Seccomp"]) == ("0" * 16, "1", "2")
    if os.geteuid() == 0:
        assert found["Uid"].split() == [str(NOBODY)] * 4


def test_a_reader_that_goes_away_ends_it() -> None:
    reading, writing = os.pipe()
    with start_cutting(writing, seconds=60, most=1 << 20) as child:
        os.close(writing)
        assert child.stdin is not None
        child.stdin.write(HEADER)
        assert os.read(reading, 4096) == HEADER
        os.close(reading)
        child.stdin.write(PACKET)
        assert child.wait() == 2


def test_what_is_no_pcap_is_not_passed_on() -> None:
    with cutting() as (child, reading):
        assert child.stdin is not None
        child.stdin.write(b"secret" * 10)
        child.stdin.close()
        assert child.wait() == 1
        assert os.read(reading, 4096) == b""
