"""docs/audit.md is true: its program checks an export, and every event is in its table."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.trail.written import written
from workers.ledger.states import State
from workers.trail.export import json_lines

_DOCS = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()


@pytest.mark.parametrize("altered", [False, True])
def test_the_program_in_the_docs_tells_an_altered_export_from_an_intact_one(
    tmp_path: Path, altered: bool
) -> None:
    entries = written(6)
    if altered:
        entries[3] = entries[3]._replace(by="U0")
    export = tmp_path / "trail.jsonl"
    export.write_text("".join(line + "\n" for line in json_lines(entries)), encoding="utf-8")
    program = re.findall(r"```python\n(.*?)```", _DOCS, re.DOTALL)[0]
    answer = subprocess.run(
        [sys.executable, "-I", "-c", program, str(export)], capture_output=True, text=True, check=False
    )
    if altered:
        assert (answer.returncode, answer.stderr) == (1, "Entry 4 is not as it was written.\n")
    else:
        assert (answer.returncode, answer.stdout) == (0, entries[-1].hash + "\n")


_OTHERS = [
    "tapped",
    "streaming",
    "stop requested",
    "extended",
    "context delivered",
    "picture delivered",
    "file delivered",
    "downloaded",
    "download denied",
    "download refused",
    "deleted",
    "forgotten",
    "delete denied",
    "delete failed",
    "worker lost",
    "worker left",
    "taken over",
    "announced again",
    "audited",
    "audit denied",
]


@pytest.mark.parametrize("event", [*State, *_OTHERS])
def test_every_event_is_in_the_table_of_events(event: str) -> None:
    table = [line for line in _DOCS.splitlines() if line.startswith("| `")]
    assert any(f"`{event}`" in line.split("|")[1] for line in table)
