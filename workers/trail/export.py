"""The trail as text for other programs, and reading it back to check it far from the database.

JSON lines: one object a line, its keys sorted, with the columns of the entry and `previous`, the hash of the
entry before. `facts` is the text that was hashed, so that nobody has to write JSON exactly as podcap does.
CSV: the same as columns; there NULL and the empty text look alike, so only JSON lines can be checked.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import IO

from workers.trail.chain import BEFORE_THE_FIRST, entry_hash
from workers.trail.entry import Entry

COLUMNS = (*Entry._fields[:-1], "previous", "hash")
"""The columns of the CSV, and the keys of a JSON line."""


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Each entry as a line of JSON, without its newline; the whole trail, from its first entry on."""
    previous = BEFORE_THE_FIRST
    for entry in entries:
        yield _json_line(entry, previous)
        previous = entry.hash


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """The names of the columns and each entry as lines of CSV, without their newlines."""
    yield _csv_line(COLUMNS)
    previous = BEFORE_THE_FIRST
    for entry in entries:
        yield _csv_line((*entry[:-1], previous, entry.hash))
        previous = entry.hash


def read_json_lines(file: IO[bytes]) -> Iterator[Entry]:
    """The entries of exported JSON lines, for `chain.check`, in flat memory.

    A line that is not byte for byte what `json_lines` writes, or longer than 1 MiB, becomes an entry that no
    check takes for good, or several.
    """
    while line := file.readline(_LONGEST):
        yield _read(line.removesuffix(b"\n"))


_LONGEST = 1 << 20
_ILLEGIBLE = Entry(0, "", "", None, None, None, "", "", "")


def _read(line: bytes) -> Entry:
    try:
        values = json.loads(line)
        entry, previous = Entry(**{name: values[name] for name in Entry._fields}), values["previous"]
        good = _json_line(entry, previous).encode() == line and entry_hash(previous, entry) == entry.hash
    except (ValueError, KeyError, TypeError, RecursionError):
        return _ILLEGIBLE
    # Its number tells what was removed, or put elsewhere.
    return entry if good else entry._replace(hash="")


def _json_line(entry: Entry, previous: str) -> str:
    return json.dumps(
        entry._asdict() | {"previous": previous}, ensure_ascii=False, sort_keys=True, default=repr
    )


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
