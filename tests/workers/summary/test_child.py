import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.summary import packets
from tests.workers.summary.watched import Waiting, children, eventually, runs, status
from workers.summary.confine import NOBODY
from workers.summary.summarise import MEMORY, summarise
from workers.summary.summary import Summary

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")


@only_root
def test_packets_are_read_by_a_process_that_may_do_nothing(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "pipe")
    try:
        found = status(waiting.child)
        limits = Path(f"/proc/{waiting.child}/limits").read_text()
        environment = Path(f"/proc/{waiting.child}/environ").read_bytes()
        folder = Path(f"/proc/{waiting.child}/cwd").resolve()
        mode = stat.S_IMODE(folder.stat().st_mode)
        contents = list(folder.iterdir())
        open_files = {str(each.readlink()) for each in Path(f"/proc/{waiting.child}/fd").iterdir()}
    finally:
        waiting.finish()
    assert found["Uid"].split() == found["Gid"].split() == [str(NOBODY)] * 4
    assert found["Groups"] == ""
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (found["NoNewPrivs"], found["Seccomp"], found["Umask"]) == ("1", "2", "0077")
    lines = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()}
    assert lines["Max address space"] == [str(MEMORY)] * 2
    assert lines["Max file size"] == lines["Max core file size"] == ["0", "0"]
    assert lines["Max cpu time"] == ["30", "31"]
    assert {line.split(b"=")[0] for line in environment.split(b"\0") if line} == {b"PATH", b"HOME", b"LANG"}
    assert (mode, contents) == (0o555, [])
    assert {each for each in open_files if not each.startswith("pipe:")} == {str(tmp_path / "pipe")}
    assert waiting.summary is not None
    assert waiting.summary.totals.packets == 0


@only_root
def test_tshark_is_as_confined_as_the_child_that_starts_it(
    labelled: Path, stand_in: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{stand_in('exec /bin/sleep 1000')}:{os.environ['PATH']}")
    results: list[Summary] = []
    thread = threading.Thread(target=lambda: results.append(summarise(labelled, payload=True, seconds=60)))
    thread.start()
    child = eventually(lambda: next(iter(children(b"workers.summary.child")), None))
    sleeping = eventually(lambda: next(iter(children(b"/bin/sleep\x001000", child)), None))
    found = status(sleeping)
    thread.join(60)
    assert found["Uid"].split() == found["Gid"].split() == [str(NOBODY)] * 4
    assert (found["CapEff"], found["NoNewPrivs"], found["Seccomp"]) == ("0" * 16, "1", "2")
    assert not Path(f"/proc/{sleeping}").exists()
    (summary,) = results
    assert len(summary.flows) == 1
    assert "took too long" in summary.notes[0]


def test_tshark_can_write_nothing(
    labelled: Path, stand_in: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Path(f"/tmp/podcap-{os.getpid()}")
    monkeypatch.setenv("PATH", f"{stand_in(f'echo x > {left}; echo x > here')}:{os.environ['PATH']}")
    try:
        summary = summarise(labelled, payload=True)
        assert left.read_bytes() == b""
    finally:
        left.unlink(missing_ok=True)
    assert "counting does not know" in summary.notes[0]


def test_a_child_does_not_outlive_its_parent(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = (
        "import sys; from pathlib import Path; from workers.summary.summarise import summarise\n"
        "summarise(Path(sys.argv[1]), payload=False)"
    )
    with (
        subprocess.Popen([sys.executable, "-c", code, str(pipe)], env={"TMPDIR": str(tmp_path)}) as parent,
        pipe.open("wb", buffering=0) as writer,
    ):
        writer.write(packets.pcap([]))
        child = eventually(lambda: next(iter(children(b"workers.summary.child", parent.pid)), None))
        eventually(lambda: status(child).get("Seccomp") == "2" or None)
        parent.kill()
        parent.wait()
        eventually(lambda: None if runs(child) else True)
    # Only this folder stays, until the next process that makes one: who would have taken it away was killed.
    (folder,) = tmp_path.glob("podcap-*")
    assert list(folder.iterdir()) == []


def test_what_a_child_started_does_not_outlive_it(
    labelled: Path, stand_in: Callable[[str], Path], tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from workers.summary.summarise import summarise\n"
        "summarise(Path(sys.argv[1]), payload=True)"
    )
    environment = {
        "TMPDIR": str(tmp_path),
        "PATH": f"{stand_in('exec /bin/sleep 1000')}:{os.environ['PATH']}",
    }
    with subprocess.Popen([sys.executable, "-c", code, str(labelled)], env=environment) as parent:
        child = eventually(lambda: next(iter(children(b"workers.summary.child", parent.pid)), None))
        sleeping = eventually(lambda: next(iter(children(b"/bin/sleep\x001000", child)), None))
        parent.kill()
        parent.wait()
        eventually(lambda: None if runs(child) or runs(sleeping) else True)


def test_a_child_whose_parent_died_before_it_was_confined_ends() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody_reads:
        code = "from workers.summary.confine import confine; confine(seconds=9, memory=1 << 30); print('on')"
        done = subprocess.run([sys.executable, "-c", code], stdout=nobody_reads, check=False)
    assert done.returncode == -signal.SIGKILL


@only_root
def test_the_child_works_where_only_root_can_read_its_code(spoken: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    here = Path(__file__).parents[3]
    (closed / "workers").symlink_to(here / "workers")
    code = (
        f"import sys, runpy; sys.path[:] = [p for p in sys.path if p != {str(here)!r}]\n"
        f"sys.path.insert(0, {str(closed)!r})\n"
        "runpy.run_module('workers.summary.child', run_name='__main__')"
    )
    with spoken.open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, "--seconds", "30", "--memory", str(MEMORY), "--payload"],
            stdin=source,
            capture_output=True,
            check=False,
            cwd="/",
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line[:12] for line in done.stdout.splitlines()] == [b'{"version":2']
