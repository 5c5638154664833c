"""Slack clients, made in one place so that every process honours SLACK_API_URL, deadlines and retries."""

from slack_sdk import WebClient
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryHandler, RetryState
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from workers.metrics import RATE_LIMITED
from workers.settings import Settings
from workers.slack.pace import PacedClient

_SECONDS = 10
_TOO_MANY_REQUESTS = 429
_ALWAYS = 1_000_000
# Bot, worker and beat post into one channel and each may be refused because of the others.
_PATIENCE = 8


class _Counting(RetryHandler):
    """Sees every answer that is no success, and repeats nothing."""

    def _can_retry(
        self,
        *,
        state: RetryState,  # noqa: ARG002, slack_sdk's signature
        request: HttpRequest,  # noqa: ARG002, slack_sdk's signature
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002, slack_sdk's signature
    ) -> bool:
        if response is not None and response.status_code == _TOO_MANY_REQUESTS:
            RATE_LIMITED.inc()
        return False


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
    return PacedClient(
        token=settings.required("SLACK_BOT_TOKEN"),
        base_url=settings.slack_api_url,
        timeout=_SECONDS,
        retry_handlers=[
            _Counting(max_retry_count=_ALWAYS),
            RateLimitErrorRetryHandler(max_retry_count=_PATIENCE),
        ],
    )


def progress_client(settings: Settings) -> WebClient:
    """A client for progress: what Slack refuses now is out of date later, so nothing is repeated."""
    return WebClient(
        token=settings.required("SLACK_BOT_TOKEN"),
        base_url=settings.slack_api_url,
        timeout=_SECONDS,
        retry_handlers=[_Counting(max_retry_count=_ALWAYS)],
    )
