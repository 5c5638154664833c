"""The Procfile's processes on PostgreSQL, set up as docs/database.md says, without the owner's password."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from honcho.environ import parse_procfile

from deploy.lab.postgresql import PostgreSQLServer
from tests.hangs import HANGS
from tests.moves import moves
from tests.workers.ledger.installed import Installed, install, rights
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.states import State

COMMANDS = parse_procfile(Path("Procfile").read_text()).processes


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQLServer) -> Iterator[Installed]:
    """Migrated by the command that the documentation names."""
    with install(postgresql) as made:
        subprocess.run(
            [sys.executable, "-m", "workers.ledger"],
            env={"PODCAP_DATABASE_URL": made.url, "PODCAP_DATABASE_OWNER_URL": made.owner_url},
            check=True,
        )
        yield made


@pytest.fixture(scope="module")
def ledger(database: Installed) -> Iterator[Ledger]:
    engine = open_engine(database.url)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def captured(ledger: Ledger, database: Installed, make_world: Callable[..., Any]) -> Any:
    """A podcap on that database, after a capture of the lab's traffic."""
    assert ledger.watch.waiting() == []
    world = make_world(settings={"PODCAP_DATABASE_URL": database.url})
    with world.traffic():
        assert world.command(f"traefik/{world.pod()} 4s full port 80").status == 200
        world.wait_for_end()
    return world


def test_a_capture_is_made_and_its_file_is_in_the_thread(captured: Any) -> None:
    assert captured.file().stat().st_size > 0
    assert captured.http("/readyz") == 200


def test_the_capture_and_its_trail_are_in_the_database_and_hold(captured: Any, ledger: Ledger) -> None:
    capture = ledger.get(captured.capture)
    assert capture.state is State.DELIVERED
    assert capture.packets
    assert State.DELIVERED in [state for state, _ in moves(ledger, captured.capture)]
    assert ledger.trail.verify().ok


def test_the_processes_role_can_append_to_the_trail_and_nothing_else(
    captured: Any, database: Installed
) -> None:
    engine = open_engine(database.url)
    assert rights(engine, "trail") == {"SELECT", "INSERT"}
    engine.dispose()
    for process in captured.podcap.processes:
        assert "choose" not in captured.podcap.log(process)


@pytest.mark.parametrize("process", ["bot", "worker", "beat"])
def test_a_process_that_may_not_migrate_an_empty_database_ends_with_one_line(
    database: Installed, tmp_path: Path, process: str
) -> None:
    database.server.run(f"CREATE DATABASE empty_{process}")
    done = subprocess.run(
        ["sh", "-c", f"exec {COMMANDS[process]}"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": "secret",
            "SLACK_API_URL": "http://127.0.0.1:1/api/",
            "PODCAP_BROKER_URL": "redis://127.0.0.1:1/0",
            "PODCAP_AGENT_IMAGE": "podcap-agent",
            "PORT": "0",
            "PODCAP_DATABASE_URL": database.server.url(f"empty_{process}", "podcap", "choose another"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    assert done.returncode != 0
    (said,) = [line for line in done.stderr.splitlines() if "PODCAP_DATABASE_URL: " in line]
    assert "may not change it: run `python -m workers.ledger`" in said
    assert "Traceback" not in done.stderr
    assert "choose" not in done.stderr
