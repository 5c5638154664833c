"""Capture files that packages of this machine ship, such as Debian's golang-github-gopacket-gopacket-dev."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.summary import oracle
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import PcapError
from workers.summary.flows.counting import Counting

FOLDERS = (Path("/usr/share"), Path("/usr/lib/python3"), Path(sys.prefix))
ENDINGS = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")
_LARGEST = 20_000_000


def shipped() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.*cap*")):
            if path.name.endswith(ENDINGS) and path.is_file() and path.stat().st_size < _LARGEST:
                yield path


@pytest.mark.soak
def test_captures_of_packages_have_tsharks_conversations() -> None:
    compared = 0
    for path in shipped():
        counting = Counting()
        try:
            counting.file(open_capture(io.BytesIO(path.read_bytes())))
        except PcapError:
            continue
        told = counting.result()
        if not told.unknown:  # those tshark counts
            assert oracle.counted(told.flows) == oracle.conversations(path), path
            compared += 1
    if not compared:
        pytest.skip("no package here ships a capture file")
