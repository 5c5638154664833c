"""What became of a capture, as the trail has it."""

from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.trail.trail import Wanted


def moves(ledger: Ledger, capture_id: str) -> list[tuple[State, str]]:
    """The moves of a capture in their order: to which state, and by whom."""
    entries = ledger.trail.entries(Wanted(capture_id=capture_id))
    return [(State(entry.event), entry.by) for entry in entries if entry.event in set(State)]
