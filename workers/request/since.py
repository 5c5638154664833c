"""How far back somebody wants to look: `90s`, `30m`, `12h`, `7d`, `2w`."""

import re
from datetime import timedelta

_FORM = re.compile(r"(\d{1,6})([smhdw])", re.ASCII | re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str) -> timedelta | None:
    """The time span of a whole number and one unit; None when it is none, or longer than a century."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    span = timedelta(**{_UNITS[match[2].lower()]: int(match[1])})
    return span if timedelta(0) < span <= timedelta(days=36_525) else None


def shown_span(span: timedelta) -> str:
    """A time span of whole seconds as one types it, in the largest unit that fits; `since` reads it back."""
    seconds = int(span.total_seconds())
    for unit, length in (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
