"""The process `podcap` and the signals that end it, at each of its stages."""

import os
import signal
import socket
from pathlib import Path

import pytest
import yaml

from deploy.lab.handle import LabHandle
from tests.bot.terminal.conftest import Terminal
from tests.hangs import HANGS

ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def importing(tmp_path: Path) -> Terminal:
    """A folder in which `podcap`, while it is imported, waits until the pipe `gate` was opened and closed."""
    os.mkfifo(tmp_path / "gate")
    # The folder that one stands in comes first in the search for a module.
    (tmp_path / "sqlalchemy.py").write_text("open('gate').read()\nraise SystemExit(7)\n")
    return Terminal(tmp_path)


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_while_it_is_imported_a_signal_is_its_exit_code_and_no_traceback(
    importing: Terminal, number: signal.Signals, code: int
) -> None:
    process = importing.start("audit", "list")
    with (importing.folder / "gate").open("w"):
        process.send_signal(number)
        assert process.communicate(timeout=HANGS) == (b"", b"")
    assert process.returncode == code


def test_nohup_holds(importing: Terminal) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = importing.start("audit", "list")
    finally:
        signal.signal(signal.SIGHUP, before)
    with (importing.folder / "gate").open("w"):
        process.send_signal(signal.SIGHUP)
    process.communicate(timeout=HANGS)
    assert process.returncode == 7


def test_before_a_capture_begins_a_signal_leaves_no_key_of_a_kubeconfig_behind(
    lab: LabHandle, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = yaml.safe_load(lab.places.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{silent.getsockname()[1]}"
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        terminal = Terminal(tmp_path, KUBECONFIG=str(kubeconfig), PODCAP_AGENT_IMAGE="podcap-agent:lab")
        process = terminal.start("capture", "traefik/cheddar")
        connection, _ = silent.accept()
        with connection:
            assert any("PRIVATE KEY" in path.read_text() for path in terminal.temporary.iterdir())
            process.terminate()
            assert process.communicate(timeout=HANGS) == (b"", b"")
    assert process.returncode == 143
    assert list(terminal.temporary.iterdir()) == []
