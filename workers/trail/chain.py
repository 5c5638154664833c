"""The chain: what an entry's hash is taken over, and whether a row of entries is the one that was written.

Entry N's hash is the SHA-256 of the UTF-8 of one JSON array without spaces, in which only what JSON demands
is escaped: [hash of entry N-1, number, at, event, capture_id, namespace, pod, by, facts as text]. Before the
first entry stand 64 zeros. So whoever holds an export can check it with a JSON library and SHA-256 alone.

A chain shows what was changed inside it. It cannot show that its end was cut off, or that everything behind
some entry was written anew: for that a hash is needed that was kept elsewhere (`head`), as threads keep one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, product

from workers.trail.entry import Entry

BEFORE_THE_FIRST = "0" * 64
"""What stands in the place of the hash before the first entry."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_OPTIONAL = (str, type(None))
# The types an entry's columns can have; SQLite stores any type in any column.
_SHAPES = frozenset(product((int,), (str,), (str,), _OPTIONAL, _OPTIONAL, _OPTIONAL, (str,), (str,), (str,)))


class Fault(StrEnum):
    """What is wrong with a trail."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the trail found.

    `entries` counts those found as they were written, from the first on; `number` and `hash` are the last
    of them (0 and 64 zeros when there is none). `bad` is the number of the first entry that is not there
    as it was written; None when all are, also when the tail was cut.
    """

    entries: int
    number: int
    hash: str
    fault: Fault | None
    bad: int | None
    sentence: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def entry_hash(previous: str, entry: Entry) -> str:
    """The hash that `entry` must have behind an entry whose hash is `previous`; its own is not looked at.

    Raises:
        UnicodeEncodeError: A text that UTF-8 does not have.
        TypeError: A value that JSON does not have.
    """
    return hashlib.sha256(_ENCODER.encode((previous, *entry[:-1])).encode()).hexdigest()


def check(entries: Iterable[Entry], head: str | None = None) -> Verdict:
    """Reads entries from the first to the last, once and in flat memory, and finds the first that is wrong.

    Args:
        entries: The rows in the order of their numbers, of whatever types they came in.
        head: A hash that some entry is known to have had, from a thread or a mirror.
    """
    rows = iter(entries)
    previous, number, head_seen = BEFORE_THE_FIRST, 0, head is None
    for row in rows:
        if not _is_written(row, number + 1, previous):
            return _broken(row, rows, number, previous)
        number, previous = number + 1, row.hash
        head_seen = head_seen or previous == head
    if head_seen:
        return Verdict(number, number, previous, None, None, f"The trail is intact: {_count(number)}.")
    where = f"behind entry {number}" if number else "before its first entry"
    return Verdict(
        number,
        number,
        previous,
        Fault.CUT,
        None,
        f"No entry has the hash {head}: the trail was cut {where} or replaced.",
    )


def _is_written(row: Entry, number: int, previous: str) -> bool:
    """Whether a row is the entry with this number, as it was written behind `previous`."""
    if row.number != number or tuple(map(type, row)) not in _SHAPES:
        return False
    try:
        return row.hash == entry_hash(previous, row)
    except UnicodeEncodeError:
        return False


def _broken(row: Entry, rest: Iterator[Entry], number: int, previous: str) -> Verdict:
    """What is wrong behind entry `number`: `row` is not the next one. Maybe it is found farther on."""
    bad = number + 1
    others = (other._replace(number=bad) for other in chain((row,), rest) if type(other.number) is int)
    if any(_is_written(other, bad, previous) for other in others):
        fault, sentence = Fault.REORDERED, f"Entry {bad} was reordered: it does not stand in its place."
    elif type(row.number) is int and row.number > bad:
        fault, sentence = Fault.REMOVED, f"Entry {bad} was removed."
    elif row.number == bad:
        fault, sentence = (
            Fault.CHANGED,
            f"Entry {bad} was changed, or what stands before it was written anew.",
        )
    else:
        fault, sentence = Fault.CHANGED, f"Entry {bad} was changed, or is a row that podcap never wrote."
    return Verdict(number, number, previous, fault, bad, sentence)


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"
