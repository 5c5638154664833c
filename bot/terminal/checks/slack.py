"""The Slack app: its token, its scopes, and how requests reach the bot."""

from collections.abc import Iterator

from bot.terminal.checks.result import Result, for_slack, ok, problem, unset
from workers.settings import Settings
from workers.slack.client import reading_client
from workers.slack.errors import FAULTS, reason

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


def slack(settings: Settings) -> Iterator[Result]:
    """Accepted, with every scope, and reachable by one of the two ways."""
    if not for_slack(settings):
        yield unset("slack")
        return
    yield from _token(settings)
    if settings.slack_app_token is not None:
        yield ok("requests", "Socket Mode")
    elif settings.slack_signing_secret is not None:
        yield ok("requests", "HTTP, with a signing secret")
    else:
        yield problem("requests", "set SLACK_SIGNING_SECRET for HTTP, or SLACK_APP_TOKEN for Socket Mode.")


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
    if missing:
        yield problem("scopes", f"add {', '.join(missing)} to the Slack app and install it again.")
    else:
        yield ok("scopes", f"all {len(SCOPES)} that podcap needs")
