"""What every folder of tests shares: one lab and one PostgreSQL for the whole session."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from deploy.compiled import is_compiled
from deploy.lab.handle import LabHandle
from deploy.lab.postgresql import PostgreSQLServer
from tests.examples import examples
from tests.scheduling import Scheduling

# Hypothesis holds each example to 200 ms by itself; no test here is held against the clock.
settings.register_profile("podcap", deadline=None, max_examples=examples(40))
settings.load_profile("podcap")

# Run in the background, a shell has these ignored, and every process that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """What follows what."""
    return Scheduling(config, log)


def pytest_sessionstart() -> None:
    """Python prefers what is compiled to what was written since."""
    if not is_compiled(Path(__file__).parents[1]):
        pytest.exit("What is compiled is not what stands here: make .venv/compiled", returncode=4)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabHandle]:
    """The session's lab, started once and ended with it."""
    if os.geteuid() != 0:
        pytest.fail("the lab's tests need root: run them with sudo")
    lab = LabHandle(tmp_path_factory.mktemp("lab"))
    try:
        lab.up()
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """The session's PostgreSQL, started when a test first asks for it."""
    with PostgreSQLServer() as server:
        yield server
