"""Trails that are as they were written, for tests to alter."""

from hypothesis import strategies as st

from workers.trail.chain import BEFORE_THE_FIRST, entry_hash
from workers.trail.entry import Entry, canonical, clean

COLUMNS = Entry._fields

_texts = st.text(max_size=6).map(clean)
_facts = st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.text(max_size=5))


def chained(*contents: tuple[str | None, ...]) -> list[Entry]:
    """Entries from their columns without number and hash."""
    entries: list[Entry] = []
    for number, content in enumerate(contents, start=1):
        entry = Entry(number, *content, "")  # type: ignore[arg-type]
        previous = entries[-1].hash if entries else BEFORE_THE_FIRST
        entries.append(entry._replace(hash=entry_hash(previous, entry)))
    return entries


def written(count: int) -> list[Entry]:
    """So many entries as podcap writes them."""
    return chained(
        *(
            (
                f"2026-01-31T09:30:{number % 60:02}.000000Z",
                "requested" if number % 4 else "audited",
                f"cap-{number:06}" if number % 4 else None,
                "traefik" if number % 4 else None,
                "cheddar" if number % 4 else None,
                f"U{number}",
                canonical({"filter": f"port {number}", "user_name": "Zoë"}),
            )
            for number in range(1, count + 1)
        )
    )


trails = st.lists(
    st.tuples(
        _texts,
        _texts,
        st.none() | _texts,
        st.none() | _texts,
        st.none() | _texts,
        _texts,
        _facts.map(canonical),
    ),
    min_size=1,
    max_size=8,
).map(lambda contents: chained(*contents))
"""Any trail, of one to eight entries."""
