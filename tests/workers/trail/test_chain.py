"""The chain as a pure function: whatever is done to a row of entries is found, and where."""

import hashlib
import json
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.trail.written import COLUMNS, trails, written
from workers.trail.chain import BEFORE_THE_FIRST, Fault, check
from workers.trail.entry import Entry

_some = settings(max_examples=examples(15))  # making a trail is what takes the time


@_some
@given(trails)
def test_a_trail_as_it_was_written_is_intact_and_so_it_is_for_each_head_it_ever_had(
    trail: list[Entry],
) -> None:
    verdict = check(trail)
    assert verdict.ok
    assert verdict.bad is None
    assert (verdict.entries, verdict.number, verdict.hash) == (len(trail), len(trail), trail[-1].hash)
    assert all(check(trail, entry.hash).ok for entry in trail)


def test_an_empty_trail_is_intact_but_not_for_somebody_who_saw_an_entry() -> None:
    assert check([]).ok
    assert check([]).hash == BEFORE_THE_FIRST
    verdict = check([], written(1)[0].hash)
    assert verdict.fault is Fault.CUT
    assert "before its first entry" in verdict.sentence


@_some
@given(trails)
def test_the_hash_is_that_of_one_json_array_as_the_docs_say(trail: list[Entry]) -> None:
    previous = "0" * 64
    for entry in trail:
        array = json.dumps([previous, *entry[:-1]], ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(array.encode()).hexdigest()
        assert entry.hash == previous


def test_every_byte_of_every_text_of_every_entry_counts() -> None:
    trail = written(5)
    for row, entry in enumerate(trail):
        for column, value in entry._asdict().items():
            for place in range(len(value.encode()) if isinstance(value, str) else 0):
                raw = bytearray(value.encode())
                raw[place] ^= 1
                altered = entry._replace(**{column: raw.decode("utf-8", "surrogateescape")})
                assert check([*trail[:row], altered, *trail[row + 1 :]]).bad == row + 1


@_some
@given(trails, st.data())
def test_a_change_of_any_byte_of_any_column_is_found_at_its_entry(
    trail: list[Entry], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(trail) - 1))
    column = data.draw(st.sampled_from(COLUMNS))
    value = getattr(trail[row], column)
    if isinstance(value, int):
        altered: object = data.draw(st.integers().filter(lambda number: number != value))
    elif not value:
        altered = None if value == "" else ""
        assume(column in {"capture_id", "namespace", "pod"} or value == "")
    else:
        raw = bytearray(value.encode())
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        altered = raw.decode("utf-8", "surrogateescape")
    trail[row] = trail[row]._replace(**{column: altered})
    verdict = check(trail)
    assert verdict.bad == row + 1
    assert verdict.entries == row


@_some
@given(trails, st.data())
def test_a_value_of_another_type_is_a_change_and_never_a_crash(
    trail: list[Entry], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(trail) - 1))
    column = data.draw(st.sampled_from(COLUMNS))
    value = getattr(trail[row], column)
    text = str(value)
    others = [None, text.encode(), b"\xff", 1.5, float(row + 1), True, [], {}, object()]
    others += [text] if isinstance(value, int) else [7]
    altered = data.draw(st.sampled_from([other for other in others if type(other) is not type(value)]))
    trail[row] = trail[row]._replace(**{column: altered})
    verdict = check(trail)
    assert verdict.bad == row + 1
    assert verdict.fault is Fault.CHANGED


@_some
@given(trails, st.randoms(use_true_random=False), st.booleans())
def test_any_other_order_is_found_at_the_first_entry_that_stands_elsewhere(
    trail: list[Entry], random: Random, renumbered: bool
) -> None:
    other = random.sample(trail, len(trail))
    assume(other != trail)
    first = next(number for number, (a, b) in enumerate(zip(trail, other, strict=True), 1) if a != b)
    if renumbered:
        other = [entry._replace(number=number) for number, entry in enumerate(other, 1)]
    verdict = check(other)
    assert verdict.bad == first
    assert verdict.fault is Fault.REORDERED


@_some
@given(trails, st.randoms(use_true_random=False), st.data())
def test_entries_changed_and_put_elsewhere_at_once_are_found_at_the_first_that_is_wrong(
    trail: list[Entry], random: Random, data: st.DataObject
) -> None:
    other = random.sample(trail, len(trail))
    for row in data.draw(st.sets(st.integers(0, len(trail) - 1), min_size=1)):
        column = data.draw(st.sampled_from(("at", "event", "by", "facts", "hash")))
        other[row] = other[row]._replace(**{column: getattr(other[row], column) + "x"})
    first = next(number for number, (a, b) in enumerate(zip(trail, other, strict=True), 1) if a != b)
    assert check(other).bad == first


@_some
@given(trails, st.data())
def test_whatever_is_removed_is_found_at_the_first_entry_that_lacks(
    trail: list[Entry], data: st.DataObject
) -> None:
    numbers = [entry.number for entry in trail]
    removed = data.draw(st.sets(st.sampled_from(numbers), min_size=1))
    left = [entry for entry in trail if entry.number not in removed]
    verdict = check(left, trail[-1].hash)
    if left and left[-1].number > min(removed):
        assert (verdict.bad, verdict.fault) == (min(removed), Fault.REMOVED)
        renumbered = [entry._replace(number=number) for number, entry in enumerate(left, 1)]
        assert check(renumbered).bad == min(removed)
    else:
        assert (verdict.bad, verdict.fault) == (None, Fault.CUT)
        assert verdict.number == min(removed) - 1


@_some
@given(trails, st.data())
def test_an_entry_that_stands_there_twice_is_found(trail: list[Entry], data: st.DataObject) -> None:
    source = data.draw(st.integers(0, len(trail) - 1))
    place = data.draw(st.integers(source + 1, len(trail)))
    altered = [*trail[:place], trail[source], *trail[place:]]
    assert check(altered).bad == place + 1


def test_a_tail_that_was_written_anew_is_found_by_the_head_that_a_thread_kept() -> None:
    kept = written(9)[-1].hash
    forged = written(5)
    verdict = check(forged, kept)
    assert verdict.fault is Fault.CUT
    assert verdict.sentence == (
        f"No entry has the hash {kept}: the trail was cut behind entry 5 or replaced."
    )


@pytest.mark.parametrize(
    ("fault", "altered"),
    [
        (Fault.CHANGED, lambda t: [*t[:2], t[2]._replace(by="U0"), *t[3:]]),
        (Fault.REMOVED, lambda t: [*t[:2], *t[3:]]),
        (Fault.REORDERED, lambda t: [*t[:2], t[3], t[2], *t[4:]]),
    ],
)
def test_the_sentence_names_the_entry_and_what_was_done(fault: Fault, altered: object) -> None:
    verdict = check(altered(written(6)))  # type: ignore[operator]
    assert verdict.fault is fault
    assert verdict.sentence.startswith(f"Entry 3 was {fault}")
