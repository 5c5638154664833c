"""`podcap audit` as an auditor runs it: a process, and the database's URL alone."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.terminal.dispatch import run
from tests.bot.terminal.conftest import Terminal, Typed
from tests.hangs import HANGS
from tests.migrated import migrated
from tests.orders import order
from workers.ledger.ledger import Ledger
from workers.ledger.states import State

_HOSTILE = "port 80 \x1b[2J\r\n7  delivered \u202e"


Podcap = Callable[..., "subprocess.CompletedProcess[str]"]


def settings_in(folder: Path) -> dict[str, str]:
    return {"PODCAP_DATABASE_URL": f"sqlite:///{folder}/podcap.db"}


def process_in(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bot.terminal.main", "audit", *arguments],
        cwd=folder,  # away from any .env
        env={"PATH": os.environ["PATH"]} | settings_in(folder),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=HANGS,
    )


@pytest.fixture
def podcap(typed: Typed) -> Podcap:
    """What `process_in` does, without the start of a process."""

    def run_here(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        words = ("audit", *arguments)
        return subprocess.CompletedProcess(words, *typed(Terminal(folder, **settings_in(folder)), *words))

    return run_here


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = migrated(tmp_path / "podcap.db")
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def captures(ledger: Ledger) -> list[str]:
    """Two captures of two pods, five entries."""
    ids = []
    for number, pod in enumerate(("cheddar", "brie")):
        wanted = order(idempotency_key=f"trigger-{number}", pod=pod, filter=_HOSTILE, user_name="Zoë")
        capture, _ = ledger.request(wanted)
        ledger.move(capture.id, State.QUEUED, by="bot")
        ids.append(capture.id)
    ledger.record(None, "audited", by="U9")
    return ids


def test_list_tells_an_entry_a_line_of_what_is_asked_for(
    podcap: Podcap, tmp_path: Path, captures: list[str]
) -> None:
    everything = process_in(tmp_path, "list")
    assert everything.returncode == 0, everything.stderr
    lines = everything.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert captures[0] in lines[0]
    assert "traefik/cheddar" in lines[0]
    assert lines[0].endswith("by U1")
    assert podcap(tmp_path, "list", "--pod", "traefik/brie").stdout.splitlines() == lines[2:4]
    assert (
        podcap(tmp_path, "list", "--capture", captures[0], "--limit", "1").stdout.splitlines() == lines[1:2]
    )
    as_json = podcap(tmp_path, "list", "--since", "1h", "--json", "--limit", "3").stdout.splitlines()
    assert "there may be older ones" in podcap(tmp_path, "list", "--limit", "1").stderr
    assert everything.stderr == ""
    assert [json.loads(line)["number"] for line in as_json] == [3, 4, 5]
    assert json.loads(as_json[0])["facts"]["filter"] == _HOSTILE


def test_list_names_every_target_of_a_capture_of_several(
    podcap: Podcap, tmp_path: Path, ledger: Ledger, captures: list[str]
) -> None:
    facts = {"of": "traefik/cheddar, shop/svc/db"}
    ledger.record(captures[0], "summed up", by="worker", facts=facts)
    line = podcap(tmp_path, "list").stdout.splitlines()[-1]
    assert line.endswith("traefik/cheddar, shop/svc/db  by worker")


def test_show_says_everything_and_hostile_text_moves_no_cursor(
    podcap: Podcap, tmp_path: Path, captures: list[str]
) -> None:
    one = podcap(tmp_path, "show", "1").stdout
    assert "port 80 \\x1b[2J\\r\\n7  delivered \\u202e" in one
    assert "Zoë" in one
    assert "\x1b" not in one
    of_capture = podcap(tmp_path, "show", captures[1]).stdout
    assert [line.split()[1] for line in of_capture.splitlines() if line.startswith("number")] == ["3", "4"]
    nothing = podcap(tmp_path, "show", "77")
    assert nothing.returncode == 1
    assert nothing.stderr == "podcap: The trail has nothing about 77: see `podcap audit list`.\n"


@pytest.mark.usefixtures("captures")
def test_verify_tells_an_intact_trail_from_an_altered_and_a_cut_one(
    podcap: Podcap, tmp_path: Path, ledger: Ledger
) -> None:
    head = ledger.trail.head().hash
    intact = podcap(tmp_path, "verify", "--head", head)
    assert intact.returncode == 0, intact.stderr
    assert intact.stdout.splitlines() == [
        "The trail is intact: 5 entries.",
        f"Its head is entry 5: {head}",
    ]
    _alter(tmp_path, "DELETE FROM trail WHERE number = 5")
    assert podcap(tmp_path, "verify").returncode == 0
    cut = podcap(tmp_path, "verify", "--head", head.upper())
    assert cut.returncode == 1
    assert f"No entry has the hash {head}: the trail was cut behind entry 4 or replaced." in cut.stderr
    _alter(tmp_path, "UPDATE trail SET facts = CAST(x'7bff7d' AS TEXT) WHERE number = 3")
    changed = podcap(tmp_path, "verify")
    assert changed.returncode == 1
    assert changed.stdout == "As they were written: entries 1 to 2.\n"
    assert "Entry 3 was changed" in changed.stderr
    assert podcap(tmp_path, "list").returncode == 0
    assert "facts  {\\udcff}" in podcap(tmp_path, "show", "3").stdout


def test_verify_finds_a_ledger_that_says_other_than_the_trail(
    podcap: Podcap, tmp_path: Path, captures: list[str]
) -> None:
    _alter(tmp_path, f"UPDATE captures SET state = 'denied' WHERE id = '{captures[0]}'")
    said = podcap(tmp_path, "verify")
    assert said.returncode == 1
    assert said.stdout.splitlines()[0] == "The trail is intact: 5 entries."
    assert f"The ledger says that {captures[0]} is denied, the trail says that it is queued" in said.stderr


@pytest.mark.usefixtures("captures")
def test_an_export_is_verified_without_the_database(podcap: Podcap, tmp_path: Path) -> None:
    assert podcap(tmp_path, "export", "-o", "trail.jsonl").returncode == 0
    export = (tmp_path / "trail.jsonl").read_bytes()
    assert process_in(tmp_path, "export").stdout.encode() == export
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "trail.jsonl").write_bytes(export)
    assert podcap(elsewhere, "verify", "--file", "trail.jsonl").returncode == 0
    (elsewhere / "trail.jsonl").write_bytes(export.replace(b'"by": "bot"', b'"by": "bat"', 1))
    altered = podcap(elsewhere, "verify", "--file", "trail.jsonl")
    assert altered.returncode == 1
    assert "Entry 2 was changed" in altered.stderr
    assert not (elsewhere / "podcap.db").exists()
    assert podcap(tmp_path, "export", "--format", "csv", "-o", "trail.csv").returncode == 0
    csv = (tmp_path / "trail.csv").read_text().splitlines()
    assert csv[0] == "number,at,event,capture_id,namespace,pod,by,facts,previous,hash"
    assert len(csv) == 6


def test_a_file_without_entries_proves_nothing(podcap: Podcap, tmp_path: Path) -> None:
    empty = podcap(tmp_path, "verify", "--file", "/dev/null")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert empty.stderr == "podcap: /dev/null has no entries: nothing is proven by it.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["burn"],
        ["list", "--since", "yesterday"],
        ["list", "--pod", "cheddar"],
        ["list", "--limit", "0"],
        ["verify", "--head", "abc"],
        ["export", "--format", "xml"],
    ],
)
def test_what_cannot_be_understood_is_a_question_of_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["audit", *arguments])
    assert ended.value.code == 2
    assert "usage: podcap audit" in capsys.readouterr().err


def test_where_there_is_no_trail_one_line_says_so_and_no_database_is_made(
    podcap: Podcap, tmp_path: Path
) -> None:
    answer = podcap(tmp_path, "verify")
    assert answer.returncode == 1
    assert answer.stderr == "podcap: PODCAP_DATABASE_URL: there is no trail yet. See docs/settings.md.\n"
    assert not (tmp_path / "podcap.db").exists()
    (tmp_path / "podcap.db").write_bytes(b"this is no database, but long enough to be looked at" * 20)
    answer = podcap(tmp_path, "list")
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1
    missing = podcap(tmp_path, "verify", "--file", "nowhere.jsonl")
    assert missing.returncode == 1
    assert missing.stderr == "podcap: nowhere.jsonl cannot be read: No such file or directory.\n"


def _alter(folder: Path, statement: str) -> None:
    database = sqlite3.connect(folder / "podcap.db", timeout=HANGS)
    for trigger in ("trail_no_update", "trail_no_delete"):
        database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    database.execute(statement)
    database.commit()
    database.close()
