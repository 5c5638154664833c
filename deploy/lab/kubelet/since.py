"""From when on a log is wanted: pure."""

from datetime import datetime

_SECOND = 10**9


def parse_since(since_time: str | None, since_seconds: int | None, now: int) -> int:
    """Nanoseconds since the epoch; 0 for everything.

    Args:
        since_time: RFC 3339, as the API's sinceTime.
        since_seconds: So many seconds ago, as the API's sinceSeconds.
        now: Nanoseconds since the epoch.

    Raises:
        ValueError: It is no time.
    """
    if since_seconds is not None:
        return now - since_seconds * _SECOND
    if since_time:
        return int(datetime.fromisoformat(since_time).timestamp() * _SECOND)
    return 0
