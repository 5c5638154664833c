"""The taps of a capture of several at a terminal: a line each. Pure."""

from collections.abc import Iterator, Sequence

from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.thread.words import count, size


def tap_lines(taps: Sequence[TapRecord]) -> Iterator[str]:
    """Where each takes its packets, or what it took, or why it failed."""
    for tap in taps:
        where = f" on {tap.node}" if tap.node and tap.kind is TapKind.POD else ""
        yield f"  {tap.name}{where}: {_came(tap)}"


def _came(tap: TapRecord) -> str:
    if tap.state is TapState.FAILED:
        return tap.sentence or "it failed"
    if tap.state is not TapState.COLLECTED:
        return tap.tap or tap.state
    broken = f" ({tap.sentence})" if tap.sentence else ""
    return f"{count(tap.packets or 0, 'packet')}, {size(tap.bytes or 0)}{broken}"
