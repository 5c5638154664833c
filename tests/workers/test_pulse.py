"""Who is dead is told by what changes, whatever the clocks say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.capture import Capture
from workers.pulse import Pulse

CAPTURE = Capture(**dict.fromkeys(Capture.__dataclass_fields__) | {"id": "cap-1", "token": 1})  # type: ignore[arg-type]
OTHER = replace(CAPTURE, id="cap-2")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def pulse() -> Pulse:
    """Sixty seconds of silence, and a clock that goes ten seconds each time it is asked."""
    seconds: Iterator[int] = iter(range(0, 100_000, 10))
    return Pulse(60, looks=3, clock=lambda: next(seconds))


@given(st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=60))
def test_a_heart_that_beats_is_alive_however_its_clock_jumps(jumps: list[int]) -> None:
    seen, at = pulse(), NOON
    for number, jump in enumerate(jumps):
        beat = at + timedelta(seconds=jump, microseconds=number)
        assert seen.lost([(CAPTURE, beat)]) == []


def test_one_that_is_silent_for_a_minute_is_dead() -> None:
    seen = pulse()
    for _ in range(6):
        assert seen.lost([(CAPTURE, NOON)]) == []
    assert seen.lost([(CAPTURE, NOON), (OTHER, NOON)]) == [CAPTURE]


def test_one_that_never_beat_is_dead_after_a_minute() -> None:
    seen = pulse()
    for _ in range(6):
        assert seen.lost([(CAPTURE, None)]) == []
    assert seen.lost([(CAPTURE, None)]) == [CAPTURE]


def test_a_capture_that_ended_is_forgotten() -> None:
    seen = pulse()
    for _ in range(10):
        seen.lost([(CAPTURE, NOON)])
    seen.lost([])
    assert seen.lost([(CAPTURE, NOON)]) == []


def test_a_capture_that_has_another_worker_begins_anew() -> None:
    seen = pulse()
    for token in (1, 2):
        for _ in range(5):
            assert seen.lost([(replace(CAPTURE, token=token), NOON)]) == []


def test_a_database_that_answered_to_nobody_for_an_hour_makes_nobody_dead() -> None:
    """Its first answer still has the heartbeats of before."""
    seconds = iter([0, 5, 3600, 3605, 3610])
    seen = Pulse(20, looks=3, clock=lambda: next(seconds))
    for _ in range(3):
        assert seen.lost([(CAPTURE, NOON)]) == []
    assert seen.lost([(CAPTURE, NOON + timedelta(hours=1))]) == []
