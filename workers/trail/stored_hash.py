"""Which hash the trail has of a capture's file. Pure."""

from collections.abc import Iterable

from workers.ledger.states import State
from workers.trail.entry import Entry

_KEYS = {State.DELIVERING.value: "file_sha256", "file delivered": "sha256"}


def stored_hash(entries: Iterable[Entry]) -> str | None:
    """The SHA-256 of the file in one capture's entries, in their order; None when they have none.

    The first counts: it was written before the file left podcap, and what is appended later replaces nothing.
    """
    for entry in entries:
        digest = entry.known().get(_KEYS[entry.event]) if entry.event in _KEYS else None
        if isinstance(digest, str):
            return digest
    return None
