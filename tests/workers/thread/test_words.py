import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.thread.words import bar, count, ordinal, size


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (812_345, "812 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (619_000_000, "619 MB"),
        (5_000_000_000_000, "5.0 TB"),
    ],
)
def test_sizes_read_as_wireshark_shows_them(number: int, words: str) -> None:
    assert size(number) == words


@given(st.integers(0, 999 * 10**12))
def test_a_size_never_has_more_than_three_digits(number: int) -> None:
    assert len(size(number).split()[0].replace(".", "")) <= 3


def test_counts_have_thousands_separators_and_the_right_plural() -> None:
    assert [count(n, "packet") for n in (0, 1, 1204)] == ["0 packets", "1 packet", "1,204 packets"]
    assert count(2, "query", "queries") == "2 queries"


@given(st.floats(-10, 1000), st.floats(0, 1000), st.integers(1, 40))
def test_a_bar_always_has_its_width(done: float, total: float, width: int) -> None:
    assert len(bar(done, total, width)) == width


def test_a_bar_fills_from_the_left() -> None:
    assert [bar(done, 4, 4) for done in (0, 1, 2, 4, 9)] == ["░░░░", "▓░░░", "▓▓░░", "▓▓▓▓", "▓▓▓▓"]


def test_places_are_counted_as_people_do() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 101, 111, 1002)
    said = "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th 1,002nd"
    assert " ".join(map(ordinal, numbers)) == said
