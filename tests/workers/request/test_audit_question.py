from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.request.audit_question import AuditQuestion, asks_about_trail, parse_audit
from workers.request.since import shown_span, since
from workers.request.target import UsageError


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("audit", AuditQuestion()),
        ("audit since 7d", AuditQuestion(since=timedelta(days=7))),
        ("audit traefik/cheddar", AuditQuestion("traefik", "cheddar")),
        ("AUDIT traefik/cheddar SINCE 12h", AuditQuestion("traefik", "cheddar", since=timedelta(hours=12))),
        ("audit cap-7f3k9q", AuditQuestion(capture_id="cap-7f3k9q")),
    ],
)
def test_a_question_about_the_trail_is_read(text: str, question: AuditQuestion) -> None:
    assert asks_about_trail(text)
    assert parse_audit(text) == question


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("audit since", "Write at most one pod"),
        ("audit since yesterday", "`yesterday` is no time span: write a number"),
        ("audit traefik/cheddar 7d", "Write at most one pod and `since`"),
        ("audit a/b c/d since 7d", "Write at most one pod"),
        ("audit traefik/deploy/cheddar", "Ask about one pod"),
        ("audit cheddar", "Put the namespace before the pod"),
        ("audit since 0d", "`0d` is no time span"),
    ],
)
def test_a_question_that_cannot_be_read_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_audit(text)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("text", ["", "help", "traefik/audit", "auditor/pod", "audit/cheddar 30s"])
def test_other_commands_are_no_question_about_the_trail(text: str) -> None:
    assert not asks_about_trail(text)


@given(st.text())
def test_any_text_is_a_question_or_one_sentence(text: str) -> None:
    try:
        parse_audit(f"audit {text}")
    except UsageError as refused:
        assert "\n" not in str(refused)  # noqa: PT017, either is good


@given(st.integers(1, 99), st.sampled_from("smhdw"))
def test_a_time_span_is_a_number_and_a_unit(number: int, unit: str) -> None:
    days = {"s": 1 / 86400, "m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7}[unit]
    span = since(f"{number}{unit}")
    assert span is not None
    assert since(shown_span(span)) == span
    assert abs(span.total_seconds() - number * days * 86400) < 1e-6
