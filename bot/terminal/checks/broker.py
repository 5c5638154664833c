"""Redis, which carries the ids of captures."""

from collections.abc import Iterator

from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

import workers.broker
from bot.terminal.checks.result import Result, for_slack, ok, problem, unset
from workers.settings import Settings

_NAME = "broker"
_SECONDS = 3


def broker(settings: Settings) -> Iterator[Result]:
    """Reachable, and never evicting what it holds."""
    if not for_slack(settings) and "broker_url" not in settings.model_fields_set:
        yield unset(_NAME)
        return
    where = workers.broker.broker(
        settings.broker_url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS, max_retries=1
    )
    try:
        with Connection(where.url, transport_options=where.options) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)
            told = connection.default_channel.client.info()
    except (OperationalError, RedisError, OSError, ValueError):
        # Their words may hold the URL, and with it a password.
        yield problem(_NAME, "does not answer: start Redis, or correct PODCAP_BROKER_URL.")
        return
    eviction = told.get("maxmemory_policy", "noeviction")
    if eviction != "noeviction":
        yield problem(
            _NAME,
            f"Redis may throw captures away (maxmemory-policy {eviction}): "
            "set `maxmemory-policy noeviction` in redis.conf.",
        )
        return
    yield ok(_NAME, f"Redis {told.get('redis_version', '?')}, maxmemory-policy noeviction")
