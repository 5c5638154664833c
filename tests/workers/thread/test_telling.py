"""What only the asker sees, when Slack's answers are lost: Slack cannot be asked whether it was shown."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.lab.slack.background import BackgroundSlack
from tests.migrated import migrated
from tests.workers.test_work import ORDER
from workers.ledger.ledger import Ledger
from workers.place import PlaceError
from workers.settings import Settings
from workers.slack.place import SlackPlace


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[BackgroundSlack]:
    with BackgroundSlack(tmp_path / "slack") as running:
        yield running


@pytest.mark.parametrize("response_url", [True, False])
def test_a_sentence_whose_answer_was_lost_is_not_said_again(
    slack: BackgroundSlack, tmp_path: Path, response_url: bool
) -> None:
    slack.control("faults", method="response_url" if response_url else "chat.postEphemeral", kind="lost")
    _tell(slack, tmp_path, response_url=response_url)
    assert [one["message"]["text"] for one in slack.state()["ephemeral"]] == ["No."]


def test_one_that_slack_did_not_get_is_an_error_for_who_may_try_again(
    slack: BackgroundSlack, tmp_path: Path
) -> None:
    slack.workspace.base_url = "http://127.0.0.1:1"
    with pytest.raises(PlaceError):
        _tell(slack, tmp_path, response_url=True)


def _tell(slack: BackgroundSlack, folder: Path, *, response_url: bool) -> None:
    workspace, user, channel = slack.workspace, slack.id("alice"), slack.id("incidents")
    key = workspace.expiring.response_url(user, channel).key
    url = f"{workspace.base_url}/commands/{workspace.world.team_id}/{key}" if response_url else None
    engine = migrated(folder / "ledger.db")
    ledger = Ledger(engine)
    order = replace(ORDER, user_id=user, channel_id=channel, response_url=url)
    capture, _ = ledger.request(order)
    settings = Settings(SLACK_BOT_TOKEN=workspace.credentials.bot_token, SLACK_API_URL=slack.api_url)
    SlackPlace(settings, ledger).report(capture).tell(capture, "No.")
    engine.dispose()
