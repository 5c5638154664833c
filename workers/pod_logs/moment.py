"""Kubernetes' times (RFC 3339) as nanoseconds since 1970. Pure."""

import re
from datetime import UTC, datetime

SECOND = 10**9
"""Nanoseconds."""

_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def moment(text: str | None) -> int | None:
    """`2026-11-23T19:20:05.123456789Z` to the nanosecond; None for what is no time."""
    found = _TIME.fullmatch(text or "")
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(found[1] + found[3]).astimezone(UTC)
        return int(whole.timestamp()) * SECOND + int((found[2] or "0").ljust(9, "0"))
    except (ValueError, OverflowError):
        return None


def clock(at: int) -> str:
    """The time of day in UTC, to the millisecond: `19:20:05.123`."""
    moment_of_day = datetime.fromtimestamp(at // SECOND, UTC)
    return f"{moment_of_day:%H:%M:%S}.{at % SECOND // 1_000_000:03}"
