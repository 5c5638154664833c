"""Slack clients, made in one place so that every process honours SLACK_API_URL, deadlines and retries."""

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from workers.settings import Settings

_SECONDS = 10


def reading_client(settings: Settings) -> WebClient:
    """A client for questions: they may be repeated after any fault."""
    client = writing_client(settings)
    client.retry_handlers += [
        ConnectionErrorRetryHandler(max_retry_count=2),
        ServerErrorRetryHandler(max_retry_count=2),
    ]
    return client


def writing_client(settings: Settings) -> WebClient:
    """A client for messages and files: repeated only where Slack says that it did nothing (429)."""
    return WebClient(
        token=settings.required("SLACK_BOT_TOKEN"),
        base_url=settings.slack_api_url,
        timeout=_SECONDS,
        retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=3)],
    )


def progress_client(settings: Settings) -> WebClient:
    """A client for progress: what Slack refuses now is out of date later, so nothing is repeated."""
    return WebClient(
        token=settings.required("SLACK_BOT_TOKEN"),
        base_url=settings.slack_api_url,
        timeout=_SECONDS,
        retry_handlers=[],
    )
