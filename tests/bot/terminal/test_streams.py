"""Standard streams that are closed, or that cannot say everything."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.summary import packets
from tests.workers.summary.packets import Record

_PREPARED = "import sys; from bot.terminal.streams import prepare; prepare(); "


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_leads_nowhere_and_no_file_takes_its_place(closed: str) -> None:
    code = _PREPARED + (
        "print('x'); print('x', file=sys.stderr); sys.stdin.isatty(); "
        "sys.exit(0 if open('/dev/null').fileno() > 2 else 9)"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert {done.stdout, done.stderr} <= {b"", b"x\n"}


def test_what_the_terminals_encoding_lacks_is_a_question_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    times = [1_700_000_000_000_000_000, 1_700_000_009_000_000_000]
    path.write_bytes(packets.pcap(Record(packets.arp(), time) for time in times))
    done = subprocess.run(
        [sys.executable, "-m", "bot.terminal.main", "summarize", str(path)],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout
    assert b"2 ARP" in done.stdout


def test_a_page_is_in_the_encoding_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "käse.pcap"
    path.write_bytes(packets.pcap([Record(packets.arp())]))
    done = subprocess.run(
        [sys.executable, "-m", "bot.terminal.main", "summarize", str(path), "--html", "-"],
        env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    assert "<h1>käse.pcap</h1>" in done.stdout.decode()
