import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.states import FINAL, State
from workers.trace.spans import Span, finished_by
from workers.trail.entry import Entry, timestamp

BEGAN = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
WAY = ("requested", "queued", "tapping", "tapped", "capturing", "extended", "collecting", "summarising")
END = ("delivering", "file delivered", "delivered")


def told(*events: str, **facts: object) -> list[Entry]:
    """A story of these events, a second apart, its number not the capture's own; the facts are the last's."""
    known = [{} for _ in events[1:]] + [facts]
    return [
        Entry(
            number * 7,
            timestamp(BEGAN + timedelta(seconds=number)),
            event,
            "cap-7f3k9q",
            "traefik",
            "cheddar",
            "worker@node:1",
            json.dumps(fact),
            "",
        )
        for number, (event, fact) in enumerate(zip(events, known, strict=True))
    ]


def all_spans(story: list[Entry]) -> list[Span]:
    return [span for end in range(1, len(story) + 1) for span in finished_by(story[:end])]


def test_each_state_is_a_span_of_one_trace_below_the_whole() -> None:
    spans = all_spans(told(*WAY, *END))
    whole = spans[-1]
    assert [span.name for span in spans] == [
        *(event for event in (*WAY, *END) if event in set(State) - FINAL),
        "capture",
    ]
    assert {span.trace_id for span in spans} == {whole.trace_id}
    assert whole.parent_id is None
    assert {span.parent_id for span in spans[:-1]} == {whole.span_id}
    assert len({span.span_id for span in spans}) == len(spans)
    assert (whole.end - whole.start) == sum(span.end - span.start for span in spans[:-1]) == 10 * 10**9


def test_what_is_no_move_is_an_event_of_its_state() -> None:
    spans = {span.name: span for span in all_spans(told(*WAY, *END))}
    assert [name for _, name in spans["tapping"].events] == ["tapped"]
    assert [name for _, name in spans["delivering"].events] == ["file delivered"]


def test_a_failure_is_an_error_with_its_sentence() -> None:
    state, whole = finished_by(told("requested", "queued", "failed", sentence="There is no such pod."))
    assert state.error == whole.error == "There is no such pod."
    assert state.name == "queued"


def test_no_span_tells_the_filter_the_person_or_any_other_fact() -> None:
    story = told("requested", "queued", "tapping", filter="host 10.9.8.7", user_name="alice", packets=7)
    (span,) = finished_by(story)
    assert span.attributes == {"podcap.capture": "cap-7f3k9q", "podcap.by": "worker", "podcap.packets": 7}


@given(st.lists(st.sampled_from([*State, "tapped", "worker lost"]), max_size=8))
def test_any_story_has_its_spans_or_none(events: list[str]) -> None:
    for span in all_spans(told(*map(str, events))) if events else finished_by([]):
        assert span.start <= span.end
        assert 0 < span.trace_id < 1 << 128
        assert 0 < span.span_id < 1 << 64
