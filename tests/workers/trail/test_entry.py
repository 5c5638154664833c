"""An entry's texts: canonical, storable everywhere, and read back."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.trail.written import written
from workers.trail.entry import canonical, timestamp

_any_text = st.text(st.characters())  # half surrogate pairs, too
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_any_text, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_any_text, _values, max_size=4))
def test_facts_are_read_back_as_they_were_and_any_database_stores_their_text(
    facts: dict[str, object],
) -> None:
    said = canonical(facts)
    assert json.loads(said) == facts
    assert "\0" not in said
    assert said.encode().decode() == said


@given(st.dictionaries(st.text(), st.integers(), max_size=4))
def test_the_order_in_which_facts_were_given_does_not_matter(facts: dict[str, int]) -> None:
    assert canonical(facts) == canonical(dict(reversed(facts.items())))
    assert " " not in canonical(dict.fromkeys(range(3), 1))  # type: ignore[arg-type]


def test_a_time_is_in_utc_and_has_its_microseconds_also_when_they_are_none() -> None:
    assert timestamp(datetime(2026, 1, 31, 9, 30, tzinfo=UTC)) == "2026-01-31T09:30:00.000000Z"
    east = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 1, 31, 9, 30, 0, 7, tzinfo=east)) == "2026-01-31T07:30:00.000007Z"


@pytest.mark.parametrize("facts", ["", "no JSON", "[1]", "7", "[" * 100_000, b"\xff", None])
def test_facts_that_somebody_altered_are_shown_as_they_are(facts: object) -> None:
    entry = written(1)[0]._replace(facts=facts)  # type: ignore[arg-type]
    assert entry.known() == {"facts": str(facts)}
