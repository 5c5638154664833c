"""The Slack app: its token, its scopes, and how requests reach the bot."""

from collections.abc import Iterator

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.terminal.checks.result import Result, for_slack, ok, problem, unset
from workers.settings import Settings
from workers.slack.client import reading_client
from workers.slack.errors import FAULTS, code, reason

_SECONDS = 10

SCOPES = (
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:read",
    "im:read",
    "mpim:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
"""What podcap's bot token needs."""

LOOKING_SCOPES = ("channels:history", "groups:history")
"""What it needs besides to look whether a message is there whose answer was lost."""


def slack(settings: Settings) -> Iterator[Result]:
    """Accepted, with every scope, and reachable by one of the two ways."""
    if not for_slack(settings):
        yield unset("slack")
        return
    yield from _token(settings)
    yield _requests(settings)


def _requests(settings: Settings) -> Result:
    """Only the bot has what is needed for requests; worker and beat only speak to Slack."""
    if settings.slack_app_token is not None:
        return _socket_mode(settings, settings.slack_app_token.get_secret_value())
    if settings.slack_signing_secret is not None:
        return ok("requests", "HTTP, with a signing secret")
    return unset("requests", "the bot's: SLACK_SIGNING_SECRET for HTTP, or SLACK_APP_TOKEN for Socket Mode")


def _socket_mode(settings: Settings, app_token: str) -> Result:
    client = WebClient(base_url=settings.slack_api_url, timeout=_SECONDS)
    try:
        client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        return problem(
            "requests",
            f"Slack does not take SLACK_APP_TOKEN for Socket Mode ({code(error)}): make one with the scope "
            "connections:write (Basic Information, App-Level Tokens), and enable Socket Mode.",
        )
    except FAULTS as error:
        return problem("requests", reason(error))
    return ok("requests", "Socket Mode")


def _token(settings: Settings) -> Iterator[Result]:
    if settings.slack_bot_token is None:
        yield problem("slack", "SLACK_BOT_TOKEN is not set: it is on the app's page, OAuth & Permissions.")
        return
    try:
        answer = reading_client(settings).auth_test()
    except FAULTS as error:
        yield problem("slack", reason(error))
        return
    yield ok("slack", f"{answer.get('user', '?')} in {answer.get('team', '?')}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")}
    missing = [scope for scope in SCOPES if scope not in granted]
    blind = [scope for scope in LOOKING_SCOPES if scope not in granted]
    if missing:
        wanted = ", ".join(missing + blind)
        yield problem("scopes", f"add {wanted} to the Slack app and install it again.")
    elif blind:
        yield unset(
            "scopes",
            f"without {' and '.join(blind)} a message may come twice after an outage: add that to the Slack "
            "app and install it again.",
        )
    else:
        yield ok("scopes", f"all {len(SCOPES) + len(LOOKING_SCOPES)} that podcap needs")
