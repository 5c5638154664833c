"""Time as the API writes it (`metav1.Time`, `metav1.MicroTime`)."""

import datetime as dt


def now(later_seconds: int = 0) -> str:
    """This second in UTC, or one later."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=later_seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_now() -> str:
    """This microsecond in UTC."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> dt.datetime:
    """Reads what the API writes."""
    return dt.datetime.fromisoformat(text)


def age(text: str | None) -> str:
    """How long ago, as kubectl prints it: `5s`, `3m20s`, `2h`, `4d`."""
    if not text:
        return "<unknown>"
    return duration(int((dt.datetime.now(dt.UTC) - parse(text)).total_seconds()))


def between(start: str, end: str | None) -> str:
    """How long from one time to another, or until now."""
    if not end:
        return age(start)
    return duration(int((parse(end) - parse(start)).total_seconds()))


def duration(seconds: int) -> str:
    """Seconds in kubectl's short form (`duration.HumanDuration`)."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    steps = (
        (120, f"{max(seconds, 0)}s"),
        (600, _two(minutes, "m", seconds % 60, "s")),
        (3 * 3600, f"{minutes}m"),
        (8 * 3600, _two(hours, "h", minutes % 60, "m")),
        (48 * 3600, f"{hours}h"),
        (8 * 86400, _two(days, "d", hours % 24, "h")),
        (2 * 365 * 86400, f"{days}d"),
    )
    for bound, text in steps:
        if seconds < bound:
            return text
    return _two(days // 365, "y", days % 365, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
