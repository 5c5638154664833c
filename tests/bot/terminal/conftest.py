"""podcap at a terminal: processes with a kubeconfig and an agent image, and no other setting."""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.terminal.dispatch import run
from deploy.lab.handle import LabHandle
from tests.hangs import HANGS
from workers.settings import Settings, load


class Terminal:
    """A folder in which somebody types."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.started: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            **settings,
        }

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        """A running `podcap`."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.terminal.main", *arguments],
            cwd=self.folder,
            env=self.environment,
            **pipes,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Ends what a test that failed left running; its capture removes its agent pod."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()

    def run(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """A `podcap` that has ended."""
        return subprocess.run(
            [sys.executable, "-m", "bot.terminal.main", *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=HANGS,
        )

    def files(self) -> list[str]:
        """The names of the files in the folder that nobody but a capture makes."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def leftovers(self) -> list[str]:
        """What was left in the temporary folder; the kubernetes client keeps credentials while it runs."""
        return [path.name for path in self.temporary.iterdir() if path.name.startswith("podcap")]

    def trail(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every entry of the trail: event, by, facts."""
        with closing(sqlite3.connect(self.folder / "var" / "podcap.db")) as database:
            rows = database.execute("SELECT event, by, facts FROM trail ORDER BY number").fetchall()
        return [(event, by, json.loads(facts)) for event, by, facts in rows]


Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """What `Terminal.run` does, in this process: exit code, standard output, standard error.

    A process takes a second or more to import everything. For commands that end before a capture begins: from
    there on signals and threads are a process's own.
    """

    def run_here(terminal: Terminal, *arguments: str, **settings: str) -> tuple[int, str, str]:
        for field in Settings.model_fields.values():
            monkeypatch.delenv(str(field.alias), raising=False)
        for name, value in (terminal.environment | settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(terminal.folder)
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        load.cache_clear()
        code = run(arguments)
        return code, *capsys.readouterr()

    yield run_here
    load.cache_clear()


def wait_for_line(process: "subprocess.Popen[bytes]", words: str) -> str:
    """Everything on standard error until a line with these words."""
    told = b""
    assert process.stderr is not None
    while words.encode() not in told:
        line = process.stderr.readline()
        assert line, f"{words!r} did not come in\n{told.decode()}"
        told += line
    return told.decode()


def interrupt(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGINT) -> None:
    """A signal, as Ctrl-C sends it."""
    process.send_signal(number)


@pytest.fixture(scope="module")
def pod(lab: LabHandle) -> str:
    """A pod that serves cheese, as one types it."""
    return f"traefik/{lab.pods('task=cheddar')[0]['metadata']['name']}"


@pytest.fixture
def terminal(lab: LabHandle, tmp_path: Path) -> Iterator[Terminal]:
    """Somebody with a kubeconfig alone; nothing is left behind by whatever they did."""
    found = Terminal(tmp_path, KUBECONFIG=str(lab.places.kubeconfig), PODCAP_AGENT_IMAGE="podcap-agent:lab")
    try:
        yield found
    finally:
        found.end()
    assert lab.kubectl("get", "pods", "-n", "podcap", "-o", "name").strip() == ""
    assert found.leftovers() == []


def ask_for_cheese(lab: LabHandle, pod: str, ports: Sequence[int]) -> None:
    """One HTTP request to the pod from each of these ports of its node."""
    place = lab.get("pod", pod.partition("/")[2])
    url = f"http://{place['status']['podIP']}/"
    for port in ports:
        lab.node(place["spec"]["nodeName"], "curl", "-sf", "-o", "/dev/null", "--local-port", str(port), url)


def told(packets: Path | bytes, field: str, wanted: str) -> list[str]:
    """What tshark says of one field of each packet that is wanted."""
    source, given = (str(packets), None) if isinstance(packets, Path) else ("-", packets)
    done = subprocess.run(
        ["tshark", "-n", "-r", source, "-Y", wanted, "-T", "fields", "-e", field],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return done.stdout.decode().split()
