"""Percentiles. Pure."""

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many of 100 do not exceed (nearest rank).

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, (len(values) * percent + 99) // 100 - 1)]
