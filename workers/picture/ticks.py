"""Where an axis has its figures. Pure."""

from datetime import UTC, datetime
from math import ceil, floor, log10

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_FEW = 10
_LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … (or 0.1, 0.2, …) that is at least this; of 0 it is 1."""
    if least <= 0:
        return 1.0
    power = 10.0 ** floor(log10(least))
    return next(times * power for times in (1, 2, 5, 10, 20) if times * power >= least * (1 - 1e-9))


def moment(first: int | None, seconds: float) -> datetime | None:
    """The time so many seconds after `first` (nanoseconds since 1970); None where no calendar has it."""
    if first is None:
        return None
    at = first / 1e9 + seconds
    return datetime.fromtimestamp(at, UTC) if 0 <= at < _LAST else None


def clock(first: int | None, seconds: float, of: float) -> str:
    """`12:00:05`, in a capture `of` few seconds `12:00:05.250`; `+5.250 s` where no clock says."""
    at = moment(first, seconds)
    if at is None:
        return f"+{seconds:,.3f} s"
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}" if of < _FEW else f"{at:%H:%M:%S}"


def time_ticks(first: int | None, seconds: float, most: int) -> list[tuple[float, str]]:
    """At most `most` + 1 times of the axis: seconds since the first packet, and what they are called.

    From steps of a second on they are whole times of the clock (UTC), below it such seconds.
    """
    least = seconds / most
    start, end = moment(first, 0), moment(first, seconds)
    if least <= 0.5 or start is None or end is None or first is None:  # noqa: PLR2004, half a second is no clock's
        step = round_step(least)
        digits = max(0, -floor(log10(step) + 1e-9))
        return [
            (number * step, f"+{number * step:,.{digits}f} s") for number in range(floor(seconds / step) + 1)
        ]
    days = _DAY * round_step(least / _DAY)
    clock_step = next((step for step in _CLOCK if step >= least), days)
    form = "%H:%M:%S" if clock_step < _MINUTE else "%H:%M" if clock_step < _DAY else "%d %b"
    began = first / 1e9
    from_, to = ceil(began / clock_step), floor((began + seconds) / clock_step)
    times = [number * clock_step for number in range(from_, to + 1)]
    return [(at - began, datetime.fromtimestamp(at, UTC).strftime(form)) for at in times]
