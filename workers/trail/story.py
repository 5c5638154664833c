"""What became of one capture, told from its entries in the trail. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workers.ledger.states import State
from workers.trail.entry import Entry

_STATES = frozenset(State)


@dataclass(frozen=True, slots=True)
class Story:
    """One capture: who asked when for what, and the last state that the trail has.

    `at`: `2026-01-31T09:30:00.000000Z`. `known`: all facts of its entries, later ones before earlier ones.
    """

    capture_id: str
    at: str
    by: str
    namespace: str
    pod: str
    state: str
    known: dict[str, Any]


def story(entries: Iterable[Entry]) -> Story | None:
    """The story in one capture's entries, in their order; None when they do not begin with its request."""
    rows = iter(entries)
    first = next(rows, None)
    if first is None or first.event != State.REQUESTED:
        return None
    known = first.known()
    state = first.event
    for entry in rows:
        known |= entry.known()
        if entry.event in _STATES:
            state = entry.event
    return Story(
        capture_id=str(first.capture_id),
        at=first.at,
        by=first.by,
        namespace=str(first.namespace),
        pod=str(first.pod),
        state=state,
        known=known,
    )
