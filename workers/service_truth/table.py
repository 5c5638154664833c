"""A Service's traffic as a table: who came in where, seen as whom, and what each replica got. Pure.

In a message it stands in a code block, 76 columns wide at most; a page has the same as HTML.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from workers.names.names import Names
from workers.page.table import Cell
from workers.page.table import table as page_table
from workers.request.quoting import verbatim
from workers.service_truth.truth import Bound, Kept, Reached, Replica, ServiceTruth
from workers.summary.findings import wording
from workers.summary.table import WIDTH, shortened
from workers.thread.words import size

HEADS = ("client", "came in at", "seen as", "replica", "conn.", "requests")
SHARES = ("replica", "node", "conn.", "requests", "bytes", "share")

MOST_ROWS = 500
"""Of a table on a page."""

_NOT_READY = " (not ready)"
_NAMED = frozenset(("client", "replica"))
_NUMBERS = frozenset(("conn.", "requests", "bytes", "share"))
_LEAST = 10
_AFFINITY: dict[Kept, str] = {
    "kept": "kept",
    "broken": "broken",
    "excused": "endpoints changed",
    "untested": "one connection or endpoint",
    "unknown": "cannot be told",
}


def truth_text(truth: ServiceTruth, names: Names, *, limit: int = 10, width: int = WIDTH) -> str:
    """Its title, a line for each client at each replica, and a line for each replica.

    Args:
        truth: Of one port of a Service.
        names: Of the cluster.
        limit: How many lines each part has at most.
        width: Columns at most, at least 60.
    """
    clients, shares = _tables(truth, names.shown, limit)
    room = min(_room_for_names(rows, width) for rows in (clients, shares))
    # A name is shortened alike in both.
    clients, shares = _tables(truth, lambda address: shortened(names.shown(address), room), limit)
    name, *fields = map(verbatim, title(truth))
    parts = [name, ", ".join(fields)] if fields else [name]
    if truth.reached:
        parts += _aligned(clients, width)
        left = len(truth.reached) - limit
        parts += [f"… and {left:,} more"] if left > 0 else []
    parts += ["", *_aligned(shares, width)]
    left = len(truth.replicas) - limit
    parts += [f"… and {left:,} more"] if left > 0 else []
    for note in truth.notes:
        parts += ["", *wrap(note, width)]
    return "\n".join(parts)


def truth_page(truth: ServiceTruth, names: Mapping[str, str]) -> str:
    """The same as HTML, with whether affinity was kept; `names` are those of addresses that have one."""

    def host(address: str) -> str:
        return names.get(address, address)

    tables = [
        page_table(", ".join(title(truth)), SHARES, _cells(_shares(truth, host, _busiest(truth.replicas))), 2)
    ]
    if truth.reached:
        caption = _caption("Clients of", truth, len(truth.reached))
        tables.append(page_table(caption, HEADS, _cells(_reached(truth, host, MOST_ROWS)), 4))
    if truth.affinity:
        heads = ("client", "came in at", "asked", "replicas", "connections", "affinity")
        rows = [_bound(each, host) for each in truth.affinity[:MOST_ROWS]]
        caption = _caption("Session affinity of", truth, len(truth.affinity))
        tables.append(page_table(caption, heads, _cells(rows)))
    return "\n".join(tables)


def _caption(what: str, truth: ServiceTruth, rows: int) -> str:
    return f"{what} {truth.name}" + (f", the first {MOST_ROWS:,} of {rows:,}" if rows > MOST_ROWS else "")


def title(truth: ServiceTruth) -> list[str]:
    """`Service traefik/cheddar:80, node port 32604`, and the fields that decide about its traffic."""
    port = f", node port {truth.node_port}" if truth.node_port else ""
    said = [f"Service {truth.name}:{truth.port.number}{port}"]
    if truth.external_policy:
        said.append(f"externalTrafficPolicy: {truth.external_policy}")
    if truth.internal_policy == "Local":
        said.append("internalTrafficPolicy: Local")
    if truth.affinity_seconds:
        said.append(f"sessionAffinity: ClientIP ({truth.affinity_seconds:,} s)")
    return said


Host = Callable[[str], str]
"""How an address is shown."""

_Row = tuple[str | tuple[str, float], ...]
"""Text, or a number with its text."""

_Texts = list[tuple[str, ...]]


def _tables(truth: ServiceTruth, host: Host, limit: int) -> tuple[_Texts, _Texts]:
    """Who came to which replica, and each replica's share, with their heads."""
    shares = _shares(truth, host, _busiest(truth.replicas)[:limit])
    return [HEADS, *_texts(_reached(truth, host, limit))], [SHARES, *_texts(shares)]


def _reached(truth: ServiceTruth, host: Host, limit: int) -> Iterator[_Row]:
    for row in truth.reached[:limit]:
        yield (
            _client(row, host),
            row.entry or "?",
            row.seen if row.seen and row.seen != row.client else "",
            host(row.replica),
            _number(row.connections),
            _requests(truth, row.requests),
        )


def _requests(truth: ServiceTruth, number: int | None) -> tuple[str, float]:
    """Where none could be read at all, as of headers only, that none came is not said."""
    if number is None:
        return "?", -1.0
    return _number(number) if any(each.requests for each in truth.replicas) else ("-", -1.0)


def _client(row: Reached, host: Host) -> str:
    if row.client:
        return host(row.client)
    return "unknown" if row.seen else "(others)"


def _shares(truth: ServiceTruth, host: Host, replicas: Iterable[Replica]) -> Iterator[_Row]:
    requests, connections = (sum(each.requests for each in truth.tapped), truth.connections)
    for each in replicas:
        name = host(each.address) + ("" if each.ready else _NOT_READY)
        if not each.tapped:
            yield name, each.node, ("?", -1.0), ("?", -1.0), ("?", -1.0), ("?", -1.0)
            continue
        part, whole = (
            (each.requests, requests) if requests >= connections else (each.connections, connections)
        )
        yield (
            name,
            each.node,
            _number(each.connections),
            _requests(truth, each.requests),
            (size(each.bytes), float(each.bytes)),
            (wording.share(part, whole), part / whole if whole else 0.0),
        )


def _bound(bound: Bound, host: Host) -> _Row:
    return (
        host(bound.client) if bound.client else "unknown",
        bound.entry or "?",
        bound.front or "?",
        ", ".join(host(each) for each in bound.replicas),
        _number(bound.connections),
        _AFFINITY[bound.kept],
    )


def _busiest(replicas: Iterable[Replica]) -> list[Replica]:
    return sorted(replicas, key=lambda each: (-each.requests, -each.connections, each.address))


def _number(value: int) -> tuple[str, float]:
    return f"{value:,}", float(value)


def _texts(rows: Iterable[_Row]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        yield tuple(verbatim(each if isinstance(each, str) else each[0]) for each in row)


def _cells(rows: Iterable[_Row]) -> Iterator[list[Cell]]:
    for row in rows:
        yield [Cell(each) if isinstance(each, str) else Cell(*each) for each in row]


def _aligned(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Columns in line."""
    heads, rooms = rows[0], _rooms(rows, width)
    lines = []
    for row in rows:
        cells = (
            shortened(text, room).rjust(room) if head in _NUMBERS else shortened(text, room).ljust(room)
            for text, room, head in zip(row, rooms, heads, strict=True)
        )
        lines.append(" ".join(cells).rstrip())
    return lines


def _rooms(rows: Sequence[tuple[str, ...]], width: int) -> list[int]:
    """How wide each column is; texts give way, the widest first, numbers do not."""
    heads, rooms = rows[0], _longest(rows)
    texts = [column for column, head in enumerate(heads) if head not in _NUMBERS]
    while sum(rooms) + len(rooms) - 1 > width:
        widest = max(texts, key=lambda column: rooms[column])
        if rooms[widest] <= _LEAST:
            break
        rooms[widest] -= 1
    return rooms


def _longest(rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]


def _room_for_names(rows: Sequence[tuple[str, ...]], width: int) -> int:
    """How long a name may be in this table."""
    rooms, longest = _rooms(rows, width), _longest(rows)
    given = [width]
    for column, head in enumerate(rows[0]):
        if head in _NAMED and rooms[column] < longest[column]:
            beside = any(row[column].endswith(_NOT_READY) for row in rows)
            given.append(max(_LEAST, rooms[column] - (len(_NOT_READY) if beside else 0)))
    return min(given)
