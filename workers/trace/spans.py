"""The spans of one capture's trace, told from its entries in the trail. Pure.

A trace's ids follow from the capture's request, so every process that ends a state knows them, and nothing
has to be carried through the queue. A state is a span, from the entry that began it to the one that ended it;
other entries in between are its events. The capture as a whole is the span above them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from workers.ledger.states import FINAL, State
from workers.trail.entry import Entry

_STATES = frozenset(State)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Facts that say how it went; none of them is a packet's content, a filter or a person.
_SHOWN = ("packets", "bytes", "dropped", "ended_by", "confidence", "seconds")


@dataclass(frozen=True, slots=True)
class Span:
    """One span; times are nanoseconds since 1970, ids as OpenTelemetry has them.

    `parent_id` is None for the capture as a whole; `error` is the sentence of a capture that failed.
    """

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    start: int
    end: int
    attributes: dict[str, str | int] = field(default_factory=dict)
    events: tuple[tuple[int, str], ...] = ()
    error: str | None = None


def finished_by(story: Sequence[Entry]) -> list[Span]:
    """The spans that the last entry of a capture's trail ends.

    Args:
        story: The capture's entries in their order, from its request on.

    Returns:
        None at all, one state, or at the capture's end that state and the whole.
    """
    last = story[-1] if story else None
    moves = [entry for entry in story if entry.event in _STATES]
    if last is None or last.event not in _STATES or len(moves) < 2 or moves[0].event != State.REQUESTED:  # noqa: PLR2004, a span has two ends
        return []
    began, first = moves[-2], moves[0]
    capture = str(last.capture_id)
    trace_id = _number(16, capture, first.at)
    whole_id = _number(8, capture, first.at)
    error = _sentence(last)
    between = [entry for entry in story if began.number < entry.number < last.number]
    state = Span(
        began.event,
        trace_id,
        _number(8, capture, first.at, str(began.number)),
        whole_id,
        _nanoseconds(began),
        _nanoseconds(last),
        {"podcap.capture": capture, "podcap.by": _process(last.by), **_facts(last)},
        tuple((_nanoseconds(entry), entry.event) for entry in between),
        error,
    )
    if State(last.event) not in FINAL:
        return [state]
    known: dict[str, str | int] = {}
    for entry in story:
        known |= _facts(entry)
    about: dict[str, str | int] = {
        "podcap.capture": capture,
        "podcap.state": last.event,
        "k8s.namespace.name": first.namespace or "",
        **known,
    }
    whole = Span(
        "capture", trace_id, whole_id, None, _nanoseconds(first), _nanoseconds(last), about, (), error
    )
    return [state, whole]


def _sentence(entry: Entry) -> str | None:
    return str(entry.known().get("sentence") or "failed") if entry.event == State.FAILED else None


def _facts(entry: Entry) -> dict[str, str | int]:
    known = entry.known()
    return {f"podcap.{name}": known[name] for name in _SHOWN if isinstance(known.get(name), str | int)}


def _process(by: str) -> str:
    """The process, or that it was a person; not who."""
    name = by.partition("@")[0]
    return name if name in {"worker", "beat", "bot", "admission"} else "person"


def _nanoseconds(entry: Entry) -> int:
    return (datetime.fromisoformat(entry.at) - _EPOCH) // timedelta(microseconds=1) * 1000


def _number(size: int, *seed: str) -> int:
    return int.from_bytes(hashlib.sha256("/".join(seed).encode()).digest()[:size]) or 1
