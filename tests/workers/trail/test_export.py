"""An export, checked far from the database."""

import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.trail.written import trails, written
from workers.trail.chain import BEFORE_THE_FIRST, Fault, check
from workers.trail.entry import Entry
from workers.trail.export import COLUMNS, csv_lines, json_lines, read_json_lines

_some = settings(max_examples=examples(15))  # making a trail is what takes the time


def exported(entries: list[Entry]) -> bytes:
    return "".join(line + "\n" for line in json_lines(entries)).encode()


def read(export: bytes) -> list[Entry]:
    return list(read_json_lines(io.BytesIO(export)))


@_some
@given(trails)
def test_an_export_is_read_back_as_it_was_written(trail: list[Entry]) -> None:
    assert read(exported(trail)) == trail
    assert check(read(exported(trail)), trail[-1].hash).ok


@_some
@given(trails, st.data())
def test_a_change_of_any_byte_of_an_export_is_found_at_its_entry(
    trail: list[Entry], data: st.DataObject
) -> None:
    export = bytearray(exported(trail))
    place = data.draw(st.integers(0, len(export) - 2))  # a last newline that lacks takes nothing away
    line = export[:place].count(b"\n") + 1
    export[place] ^= data.draw(st.integers(1, 255))
    assert check(read(bytes(export))).bad == line


@_some
@given(trails, st.data())
def test_lines_removed_or_put_elsewhere_are_found(trail: list[Entry], data: st.DataObject) -> None:
    lines = exported(trail).splitlines(keepends=True)
    places = data.draw(st.lists(st.sampled_from(range(len(lines))), unique=True))
    verdict = check(read(b"".join(lines[place] for place in places)), trail[-1].hash)
    if places == list(range(len(lines))):
        assert verdict.ok
    elif places == list(range(len(places))):
        assert verdict.fault is Fault.CUT
    else:
        first = next(number for number, place in enumerate(places, 1) if place != number - 1)
        assert verdict.bad == first
        assert verdict.fault is (Fault.REORDERED if first - 1 in places else Fault.REMOVED)


@given(st.binary(max_size=40))
def test_a_file_that_is_no_export_is_no_trail_and_no_crash(content: bytes) -> None:
    assert content == b"" or not check(read(content)).ok


def test_json_nested_too_deeply_is_no_crash() -> None:
    assert check(read(b"[" * 100_000)).bad == 1


def test_a_line_without_an_end_is_never_in_memory_as_a_whole() -> None:
    export = exported(written(2))
    endless = io.BytesIO(export + b"x" * (5 << 20))
    assert [entry.number for entry in read_json_lines(endless)] == [1, 2, 0, 0, 0, 0, 0]
    endless.seek(0)
    assert check(read_json_lines(endless)).bad == 3


def test_csv_has_the_names_of_its_columns_and_the_hash_before() -> None:
    trail = written(5)
    rows = list(csv.DictReader(io.StringIO("\n".join(csv_lines(trail)))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["hash"] for row in rows] == [entry.hash for entry in trail]
    assert [row["previous"] for row in rows] == [BEFORE_THE_FIRST, *(entry.hash for entry in trail[:-1])]
    assert [json.loads(row["facts"]) for row in rows] == [entry.known() for entry in trail]
