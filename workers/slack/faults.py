"""Slack's faults as those of the place that captures are asked from."""

from collections.abc import Iterator
from contextlib import contextmanager

from workers.place import PlaceError
from workers.slack.errors import FAULTS, GONE, PERMANENT, code, is_passing, reason

_LASTING = PERMANENT | GONE | {"restricted_action"}


@contextmanager
def faults_as_place_errors() -> Iterator[None]:
    """Turns what a Slack call raises into a `PlaceError`; also a decorator."""
    try:
        yield
    except FAULTS as error:
        said = code(error)
        raise PlaceError(
            reason(error),
            code=said or "no answer",
            lasting=said in _LASTING,
            passing=is_passing(error),
        ) from error
