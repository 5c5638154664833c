"""Which hash the trail has of a capture's file. Pure."""

from collections.abc import Iterable

from workers.ledger.states import FINAL, State
from workers.trail.entry import Entry

ANNOUNCED_AGAIN = "announced again"
"""The event of a file that another worker made anew, so that it has another hash than was announced
before."""

_ANNOUNCING = (State.DELIVERING.value, ANNOUNCED_AGAIN)
_KEYS = dict.fromkeys(_ANNOUNCING, "file_sha256") | {"file delivered": "sha256"}


def stored_hash(entries: Iterable[Entry]) -> str | None:
    """The SHA-256 of the file in one capture's entries, in their order; None when they have none.

    It was written before the file left podcap. The last one counts that was announced while a worker was at
    the capture: what is appended after its end replaces nothing.
    """
    found = None
    for entry in entries:
        if entry.event in FINAL:
            break
        digest = entry.known().get(_KEYS[entry.event]) if entry.event in _KEYS else None
        if isinstance(digest, str) and (found is None or entry.event in _ANNOUNCING):
            found = digest
    return found
