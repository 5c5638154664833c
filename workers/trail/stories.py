"""The captures that somebody asks the trail about, the newest first."""

from datetime import UTC, datetime, timedelta

from workers.ledger.states import State
from workers.trail.story import Story, story
from workers.trail.trail import Trail, Wanted

TAPPED = "tapped"
"""The entry of each pod from which packets were taken; a capture may have been asked for by another name."""


def stories(
    trail: Trail,
    *,
    capture_id: str | None = None,
    namespace: str | None = None,
    pod: str | None = None,
    within: timedelta | None = None,
    most: int,
) -> tuple[list[Story], bool]:
    """What became of the captures that match; what is None is not asked about.

    Args:
        trail: The trail.
        capture_id: Of this capture.
        namespace: Of pods of this namespace.
        pod: Of pods of this name, also where it was taken among others.
        within: Asked for so long ago at most.
        most: How many to tell of.

    Returns:
        At most `most` stories, and whether there are older ones.
    """
    since = None if within is None else datetime.now(UTC) - within
    events = [State.REQUESTED] if pod is None else [State.REQUESTED, TAPPED]
    numbers: dict[str, int] = {}
    for event in events:
        wanted = Wanted(
            event=event, capture_id=capture_id, namespace=namespace, pod=pod, since=since, newest=most + 1
        )
        for entry in trail.entries(wanted):
            if entry.capture_id is not None:
                numbers.setdefault(entry.capture_id, entry.number)
    ids = sorted(numbers, key=numbers.__getitem__)
    found = [story(trail.entries(Wanted(capture_id=one))) for one in reversed(ids[-most:])]
    return [one for one in found if one is not None], len(ids) > most
