"""The Bolt app: its listeners, and how it knows its workspace."""

import logging

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.afterwards import Afterwards
from bot.listeners import register
from workers.services import Services
from workers.slack.client import reading_client

log = logging.getLogger(__name__)


def make_app(services: Services, afterwards: Afterwards) -> App:
    """The app with every listener registered; it makes no call to Slack until a request comes.

    Args:
        services: What the listeners work with.
        afterwards: Where they do what comes after the ack.

    Raises:
        SettingsError: A token or the signing secret is not set.
    """
    settings = services.settings
    token = settings.required("SLACK_BOT_TOKEN")
    socket_mode = settings.slack_app_token is not None
    secret = "" if socket_mode else settings.required("SLACK_SIGNING_SECRET")

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # One workspace, one token: asking Slack first (auth.test) would put its troubles before the ack.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = App(
        name="podcap",
        signing_secret=secret,
        client=reading_client(settings),
        authorize=authorize,
        request_verification_enabled=not socket_mode,
        ssl_check_enabled=True,
        # A listener runs in the thread that received the request, only as long as the ack takes. Otherwise
        # Bolt hands it to another thread and looks for its ack every 10 ms.
        process_before_response=True,
    )
    register(app, services, afterwards)
    return app
