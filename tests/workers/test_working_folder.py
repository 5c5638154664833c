import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from workers.working_folder import sweep, working_folder

_PROCESS = """
import sys
from workers.working_folder import working_folder
with working_folder() as folder:
    (folder / "spool.pcap").write_bytes(b"payload")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(folder: Path) -> None:
    minute_ago = time.time() - 60
    os.utime(folder, (minute_ago, minute_ago))


def test_a_folder_goes_with_its_block_whatever_is_in_it(temporary: Path) -> None:
    with working_folder() as folder:
        (folder / "spool.pcap").write_bytes(b"payload")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not(temporary: Path) -> None:
    def start() -> tuple["subprocess.Popen[str]", Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROCESS],
            env=os.environ | {"TMPDIR": str(temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    (living, kept), (killed, left) = start(), start()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    for folder in (kept, left):
        aged(folder)

    sweep()
    there = sorted(temporary.iterdir())
    living.communicate("")

    assert there == [kept]
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_made_this_moment_is_left_alone(temporary: Path) -> None:
    young = temporary / "podcap-capture-young"
    young.mkdir()
    sweep()
    assert young.exists()
    aged(young)
    sweep()
    assert not young.exists()
