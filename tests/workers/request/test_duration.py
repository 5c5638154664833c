import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.request.duration import is_number, looks_like_duration, seconds_of, shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("1m30s", 90), ("1h0m5s", 3605), ("90S", 90), ("0s", 0)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "1.5s", "-5s", "30s1m", "1s1s", "30 s", "٣s", "1" * 5000 + "s", "30sec"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize("text", ["30s", "-5s", "1.5h", "90sec", "2minutes", "10ms", "3d", "99h"])
def test_a_duration_gone_wrong_is_still_seen_as_one(text: str) -> None:
    assert looks_like_duration(text)


@pytest.mark.parametrize("text", ["port", "10.0.0.1", "0x50", "80-90", "s", "", "80", "aa:bb:cc:dd:ee:ff"])
def test_words_of_a_filter_are_not_seen_as_durations(text: str) -> None:
    assert not looks_like_duration(text)


def test_a_number_alone_is_told_apart() -> None:
    assert is_number("90")
    assert is_number("-5")
    assert not is_number("90s")


@given(st.integers(0, 10**9))
def test_a_duration_is_read_as_it_is_shown(seconds: int) -> None:
    assert seconds_of(shown(seconds)) == seconds


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    if seconds_of(text) is not None:
        assert looks_like_duration(text)
