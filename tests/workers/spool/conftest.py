"""Fixtures for the spool: a link with traffic, and agents of our own that tap it."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workers.spool.local import Link, LocalAgent, made_link, spooling
from workers.cluster.pod import Pod


@pytest.fixture(scope="session")
def link() -> Iterator[Link]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with made_link() as link:
        yield link


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path on which only tcpdump is not busybox's."""
    found = shutil.which("busybox")
    if found is None:
        pytest.skip("busybox is not installed")
    folder = tmp_path_factory.mktemp("busybox")
    subprocess.run([found, "--install", "-s", str(folder)], check=True)
    (folder / "tcpdump").symlink_to(str(shutil.which("tcpdump")))
    return str(folder)


@pytest.fixture
def agent(link: Link, tmp_path: Path) -> Iterator[Callable[..., LocalAgent]]:
    """Makes an agent; whatever it started is gone at the end."""
    made: list[LocalAgent] = []

    def make(**settings: Any) -> LocalAgent:
        pod = Pod("podcap", "podcap-cap-1", "u", "Running", node="n1")
        agent = LocalAgent(None, pod, "cap-1", namespace=link.namespace, **settings)  # type: ignore[arg-type]
        made.append(agent)
        return agent

    yield make
    for one in made:
        for process in one.started:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
    for pid in spooling(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
