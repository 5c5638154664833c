"""A process that lacks a setting ends with one line that names it."""

import os
import subprocess
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from tests.hangs import HANGS

COMMANDS = parse_procfile(Path("Procfile").read_text()).processes
GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "secret",
    "SLACK_API_URL": "http://127.0.0.1:1/api/",
    "PODCAP_BROKER_URL": "redis://127.0.0.1:1/0",
    "PODCAP_AGENT_IMAGE": "podcap-agent",
    "PORT": "0",
}


@pytest.mark.parametrize(
    ("process", "name", "value"),
    [
        ("bot", "SLACK_BOT_TOKEN", ""),
        pytest.param("bot", "SLACK_SIGNING_SECRET", "", marks=pytest.mark.soak),
        pytest.param("bot", "PORT", "eighty", marks=pytest.mark.soak),
        ("bot", "PODCAP_POLICY", "/no/such/file"),
        pytest.param("bot", "PODCAP_BROKER_URL", "amqp://localhost", marks=pytest.mark.soak),
        ("bot", "PODCAP_DATABASE_URL", "nonsense"),
        pytest.param("worker", "SLACK_BOT_TOKEN", "", marks=pytest.mark.soak),
        ("worker", "PODCAP_AGENT_IMAGE", ""),
        ("worker", "PODCAP_BROKER_URL", "amqp://localhost"),
        ("beat", "SLACK_BOT_TOKEN", ""),
    ],
)
def test_a_process_with_a_missing_or_wrong_setting_says_so_in_one_line_and_ends(
    tmp_path: Path, process: str, name: str, value: str
) -> None:
    settings = GOOD | {"PODCAP_DATABASE_URL": f"sqlite:///{tmp_path}/podcap.db"} | {name: value}
    done = subprocess.run(
        ["sh", "-c", f"exec {COMMANDS[process]}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    assert done.returncode != 0
    assert [
        line for line in done.stderr.splitlines() if f"{name} is not set: " in line or f"{name}: " in line
    ]
    assert "Traceback" not in done.stderr
