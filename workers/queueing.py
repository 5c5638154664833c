"""From an accepted capture to a worker: its turn in the ledger, then its id in the queue.

A queue that is out of reach loses nothing, and a capture without a turn is in no queue: who is next is
decided in the ledger alone, whenever a capture is admitted or has ended, and by beat.
"""

import logging
from dataclasses import replace

from workers.admission import accept, show
from workers.ledger.capture import SLACK, Capture
from workers.ledger.turns import Given
from workers.limits import Limits
from workers.line import Held
from workers.logs import about
from workers.queue import publish
from workers.services import Services

log = logging.getLogger(__name__)

# chat.update allows about 50 calls a minute for the whole app, and captures that run come first: in a round
# of beat, which comes every 5 s, so many messages learn their place.
_PLACES_AT_ONCE = 2


def admit(services: Services, capture: Capture, *, again: bool = False) -> None:
    """Refuses a capture in state `requested`, or gives it its message and its place in the line.

    `again` says that it was tried before; see `accept`.
    """
    queued = accept(services, capture, again=again)
    if queued is not None:
        line_up(services, queued)


def line_up(services: Services, queued: Capture) -> None:
    """Publishes a queued capture when its turn is now, and else shows its place in the line."""
    given, unreachable = _advance(services)
    held = given.held.get(queued.id)
    if held is not None and _is_told(services, queued, held):
        services.ledger.turns.note_place(queued.id, held.place, _why(services, queued, held))
    elif held is not None:
        _show_place(services, queued, held)
    elif queued.id in unreachable:
        show(services, services.ledger.get(queued.id), queue_reachable=False)


def advance(services: Services) -> Given:
    """Gives every turn for which there is room now, and publishes those captures."""
    return _advance(services)[0]


def _advance(services: Services) -> tuple[Given, set[str]]:
    limits = Limits.of(services.settings).by_name()
    given = services.ledger.turns.give(limits, now=services.ledger.clock())
    return given, {one.id for one in given.captures if not enqueue(services, one)}


def enqueue(services: Services, capture: Capture) -> bool:
    """Publishes the id of a capture that has its turn; whether Redis took it."""
    if not publish(capture.id, capture.cluster):
        return False
    services.ledger.published(capture.id)
    return True


def show_places(services: Services, given: Given, waiting: list[Capture]) -> None:
    """Shows a few of those that wait where they stand now: those first whose message is most out of date."""
    late = []
    for capture in waiting:
        held = given.held.get(capture.id)
        if held is None or capture.origin != SLACK or capture.turn_at is not None:
            continue
        if capture.place is None:
            late.append((float("inf"), capture, held))
        elif not _is_told(services, capture, held):
            late.append((abs(capture.place - held.place), capture, held))
    late.sort(key=lambda one: -one[0])
    for _, capture, held in late[:_PLACES_AT_ONCE]:
        _show_place(services, capture, held)


def _show_place(services: Services, capture: Capture, held: Held) -> None:
    why = _why(services, capture, held)
    with about(capture.id):
        if not services.ledger.turns.note_place(capture.id, held.place, why):
            return
        if not show(services, replace(capture, place=held.place, waits_for=why)):
            services.ledger.note(capture.id, place=None, waits_for=None)  # so it is first in the next round


def _is_told(services: Services, capture: Capture, held: Held) -> bool:
    return (capture.place, capture.waits_for) == (held.place, _why(services, capture, held))


def _why(services: Services, capture: Capture, held: Held) -> str:
    return Limits.of(services.settings).why_here(capture, held)
