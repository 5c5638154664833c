"""Durations as people type them: `30s`, `5m`, `1m30s`, `1h`."""

import re

LONGEST_SECONDS = 600
"""The longest that one capture takes; the policy may allow less."""

_UNITS = r"(?:[num]s|s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?|w(?:eeks?)?)"
_LIKE = re.compile(rf"[+-]?(?:\d+(?:[.,]\d+)?{_UNITS})+", re.ASCII | re.IGNORECASE)
_EXACT = re.compile(r"(?:(\d{1,99})h)?(?:(\d{1,99})m)?(?:(\d{1,99})s)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)


def seconds_of(text: str) -> int | None:
    """Seconds of a duration in whole hours, minutes and seconds, in that order; None when it is none."""
    match = _EXACT.fullmatch(text)
    if match is None or not text:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def looks_like_duration(text: str) -> bool:
    """Whether somebody meant a duration by this word, right or wrong: `90sec`, `1.5h`, `-5s`."""
    return _LIKE.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Whether this is a number alone: perhaps a duration without its unit."""
    return _NUMBER.fullmatch(text) is not None


def shown(seconds: int) -> str:
    """A duration as one would type it: `90` is `1m30s`; `seconds_of` reads it back."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (left, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
