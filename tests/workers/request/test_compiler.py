import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hangs import HANGS
from workers.request import compile_child, compiler
from workers.request.compile_server import CompileServer
from workers.request.compiler import CompilerError, compile_any

CHILD = Path(compile_child.__file__)


def limited(code: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process that has taken upon itself what the child takes upon itself."""
    prelude = (
        f"import runpy; child = runpy.run_path({str(CHILD)!r}); child['limit'](); child['leave_network']()\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", prelude + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )


def test_the_first_group_that_compiles_is_told_with_the_first_complaint() -> None:
    answer = compile_any(
        "EN10MB", [("port", [" x", ""]), ("tcp", [" tcp", ""])], seconds=HANGS, optimize=True
    )
    assert answer.group == 1
    assert "unknown port" in answer.error


def test_when_nothing_compiles_there_is_no_group() -> None:
    answer = compile_any("EN10MB", [("port", [""])], seconds=HANGS, optimize=True)
    assert answer.group is None
    assert "syntax error" in answer.error


def test_only_optimizing_finds_that_no_packet_can_match() -> None:
    assert compile_any("EN10MB", [("ip and arp", [""])], seconds=HANGS, optimize=False).group == 0
    assert compile_any("EN10MB", [("ip and arp", [""])], seconds=HANGS, optimize=True).group is None


def test_the_child_can_reach_no_network() -> None:
    families = "(socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)"
    done = limited(
        "import socket\n"
        f"for family in {families}:\n"
        "    try: socket.socket(family)\n"
        "    except PermissionError: print('refused')"
    )
    assert done.stdout.split() == ["refused"] * 4


def test_the_child_finds_services_without_a_network() -> None:
    done = limited("import socket; print(socket.getservbyname('http'))")
    assert done.stdout.strip() == "80"


def test_the_child_cannot_have_much_memory() -> None:
    assert "MemoryError" in limited("bytearray(300 * 1024 * 1024)").stderr


def test_the_child_ends_itself_when_it_takes_too_long() -> None:
    assert limited("while True: pass").returncode < 0


def test_the_child_cannot_write_a_file(tmp_path: Path) -> None:
    done = limited(f"open({str(tmp_path / 'x')!r}, 'wb', buffering=0).write(b'x')")
    assert "File too large" in done.stderr
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("ends", ["import os; os.abort()", "import sys; sys.exit(1)", "raise MemoryError"])
def test_a_child_that_dies_is_one_sentence(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "child.py"
    dying.write_text(ends)
    monkeypatch.setattr(compiler, "_SERVER", CompileServer(dying))
    with pytest.raises(CompilerError, match="make it shorter"):
        compile_any("EN10MB", [("tcp", [""])], seconds=HANGS, optimize=True)


def test_a_child_that_does_not_answer_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "child.py"
    silent.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(compiler, "_SERVER", CompileServer(silent))
    with pytest.raises(CompilerError, match="too long"):
        compile_any("EN10MB", [("tcp", [""])], seconds=0.2, optimize=True)


def test_without_libpcap_the_sentence_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "child.py"
    bare.write_text(CHILD.read_text().replace('"libpcap.so', '"libnothere.so'))
    monkeypatch.setattr(compiler, "_SERVER", CompileServer(bare))
    with pytest.raises(CompilerError, match=r"install the package libpcap0\.8"):
        compile_any("EN10MB", [("tcp", [""])], seconds=HANGS, optimize=True)


def test_many_questions_at_once_get_each_its_own_answer() -> None:
    def ask(number: int) -> bool:
        good = number % 2 == 0
        text = f"port {number}" if good else f"port {number} {number}"
        return (compile_any("EN10MB", [(text, [""])], seconds=HANGS, optimize=True).group == 0) is good

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(1, 100)))


def test_a_server_that_was_killed_is_started_again() -> None:
    server = CompileServer(CHILD)
    question = b'{"link_type": "EN10MB", "optimize": true, "groups": [["tcp", [""]]]}'
    first = server.ask(question, HANGS)
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    assert server.ask(question, HANGS) == first == b'{"group": 0, "error": null}'
    server.end()


def test_a_fork_that_dies_leaves_the_next_question_its_answer() -> None:
    server = CompileServer(CHILD)
    deep = "(" * 100_000
    died = server.ask(f'{{"link_type": "EN10MB", "optimize": true, "groups": {deep}'.encode(), HANGS)
    assert died == b""
    assert server.ask(b'{"link_type": "nothing"}', HANGS) == b'{"unknown": true}'
    server.end()
