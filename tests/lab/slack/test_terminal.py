"""`python -m deploy.lab.slack` as a person starts it."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from tests.hangs import HANGS

ROOT = Path(__file__).parents[3]


def lab(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.lab.slack", "--dir", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


@pytest.fixture
def served(tmp_path: Path, eventually: Callable[[Callable[[], Any]], Any]) -> Iterator[dict[str, str]]:
    """slack.json of a stand-in that serves in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.lab.slack", "--dir", str(tmp_path)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    path = tmp_path / "slack.json"
    eventually(path.exists)
    yield json.loads(path.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANGS) == 0
    assert not path.exists()


def test_slack_json_says_what_an_app_needs(served: dict[str, str], tmp_path: Path) -> None:
    assert served.keys() == {
        "api_url",
        "control_url",
        "bot_token",
        "app_token",
        "signing_secret",
        "team_id",
    }
    assert served["api_url"].endswith("/api/")
    assert served["bot_token"].startswith("xoxb-")
    assert served["app_token"].startswith("xapp-")
    assert (tmp_path / "slack.json").stat().st_mode & 0o777 == 0o600


def test_a_person_reads_types_clicks_and_speaks(served: dict[str, str], tmp_path: Path) -> None:
    api = WebClient(token=served["bot_token"], base_url=served["api_url"])
    button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
    api.chat_postMessage(
        channel="incidents", text="running", blocks=[{"type": "actions", "elements": [button]}]
    )
    assert "[ Stop ]" in lab("thread", folder=tmp_path).stdout
    assert "[ Stop ]" in lab("channel", "--channel", "incidents", folder=tmp_path).stdout
    typed = lab("command", "--user", "bob", "traefik/x 30s", folder=tmp_path)
    assert typed.returncode == 1
    assert 'failed with the error "dispatch_failed"' in typed.stdout
    assert "dispatch_failed" in lab("ephemeral", "--user", "bob", folder=tmp_path).stdout
    clicked = lab("click", "stop", folder=tmp_path)
    assert (clicked.returncode, "dispatch_failed" in clicked.stderr) == (1, True)
    said = lab("say", "hello", folder=tmp_path)
    assert said.returncode == 0
    replied = lab("say", "--thread", said.stdout.strip(), "me too", folder=tmp_path)
    assert replied.returncode == 0
    assert "me too" in lab("thread", "--ts", said.stdout.strip(), folder=tmp_path).stdout
    assert lab("click", "nothing", folder=tmp_path).stderr == (
        "nothing in incidents can be clicked as nothing\n"
    )
    assert lab("thread", "--channel", "nowhere", folder=tmp_path).stderr == "there is no channel nowhere\n"


def test_without_a_stand_in_it_says_so(tmp_path: Path) -> None:
    done = lab("thread", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("No Slack stand-in runs in")
