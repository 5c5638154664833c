"""What `podcap doctor` says about the scopes that the app was granted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.terminal.checks.result import Result, Status
from bot.terminal.checks.slack import LOOKING_SCOPES, SCOPES, slack
from deploy.lab.slack.background import BackgroundSlack
from workers.settings import Settings


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[BackgroundSlack]:
    with BackgroundSlack(tmp_path) as running:
        yield running


def scopes_line(workspace: BackgroundSlack, *granted: str) -> Result:
    workspace.control("scopes", scopes=list(granted))
    token = workspace.workspace.credentials.bot_token
    settings = Settings(_env_file=None, SLACK_BOT_TOKEN=token, SLACK_API_URL=workspace.api_url)
    (line,) = [one for one in slack(settings) if one.check == "scopes"]
    return line


def test_all_are_counted(workspace: BackgroundSlack) -> None:
    line = scopes_line(workspace, *SCOPES, *LOOKING_SCOPES)
    assert (line.status, line.text) == (Status.OK, f"all {len(SCOPES) + 2} that podcap needs")


def test_what_is_lost_without_those_that_read_messages_is_no_problem(workspace: BackgroundSlack) -> None:
    line = scopes_line(workspace, *SCOPES, "groups:history")
    assert line.status is Status.UNSET
    assert line.text.startswith("without channels:history a message may come twice")


def test_what_podcap_cannot_do_without_is_a_problem(workspace: BackgroundSlack) -> None:
    line = scopes_line(workspace, *SCOPES[1:])
    assert line.status is Status.PROBLEM
    assert line.text.startswith(f"add {SCOPES[0]}, channels:history, groups:history to")
