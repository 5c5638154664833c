from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.ledger.capture import Capture
from workers.ledger.states import State
from workers.request.audit_question import AuditQuestion
from workers.thread.trail_messages import MOST_STORIES, answer_message, closing_message, mirror_message
from workers.trail.entry import Entry, Head
from workers.trail.story import Story

HEAD = Head(57, "ab" * 32)
STORY = Story(
    capture_id="cap-7f3k9q",
    at="2026-11-23T09:00:00.000000Z",
    by="U1",
    namespace="traefik",
    pod="cheddar-845749dbd6-zcdjm",
    state="delivered",
    known={"seconds": 30, "filter": "port 80", "full": False, "packets": 1204},
)


def answer(*stories: Story, more: bool = False, **asked: Any) -> str:
    return answer_message(AuditQuestion(**asked), stories, HEAD, more=more).text


def test_a_threads_last_message_carries_the_whole_head_and_says_what_for() -> None:
    capture = Capture(
        **dict.fromkeys(Capture.__dataclass_fields__) | {"id": "cap-7f3k9q", "state": State.DELIVERED}
    )  # type: ignore[arg-type]
    said = closing_message(capture, HEAD).text
    assert HEAD.hash in said
    assert "57 entries" in said
    assert "podcap audit verify --head" in said


def test_a_line_says_who_captured_what_when_and_what_came_of_it() -> None:
    assert (
        "2026-11-23 09:00 UTC  `cap-7f3k9q`  <@U1> · `traefik/cheddar-845749dbd6-zcdjm` · 30s · `port 80` · "
        "headers only · *delivered*: 1,204 packets" in answer(STORY)
    )


def test_a_denial_says_why() -> None:
    denied = replace(STORY, state="denied", known={"sentence": "Rule 1\nsays no."})
    assert "*denied*: Rule 1 says no." in answer(denied)


def test_a_capture_from_a_terminal_names_its_user_and_mentions_nobody() -> None:
    terminal = replace(STORY, by="<!channel>", known={"origin": "terminal"})
    said = answer(terminal)
    assert "`&lt;!channel&gt;` at a terminal" in said


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ({}, "*1 capture*\n"),
        ({"namespace": "traefik", "pod": "cheddar"}, "*1 capture* of `traefik/cheddar`\n"),
        ({"since": timedelta(days=7)}, "*1 capture* asked for within 1w\n"),
        ({"capture_id": "cap-7f3k9q"}, "*1 capture* with the id `cap-7f3k9q`\n"),
    ],
)
def test_the_answer_says_what_it_answers(asked: dict[str, Any], title: str) -> None:
    assert answer(STORY, **asked).startswith(title)


def test_an_empty_answer_is_one_too() -> None:
    assert answer().startswith("*0 captures*\n")


def test_older_captures_that_are_not_shown_are_told_of() -> None:
    assert "Older ones" in answer(STORY, more=True)
    assert "Older ones" not in answer(STORY)


@given(st.text(max_size=1200), st.text(max_size=400))
def test_the_longest_answer_is_within_slacks_limits(wanted: str, sentence: str) -> None:
    known = {"seconds": 30, "filter": wanted, "sentence": sentence}
    longest = replace(STORY, namespace="n" * 63, pod="p" * 253, known=known)
    message = answer_message(AuditQuestion(), [longest] * MOST_STORIES, HEAD, more=False)
    assert len(message.blocks) <= 50
    assert all(1 <= len(block["text"]["text"]) <= 3000 for block in message.blocks)
    assert len(message.text) <= 13_200


@given(st.lists(st.none() | st.integers() | st.floats() | st.binary() | st.text(), min_size=9, max_size=9))
def test_an_entry_of_any_types_is_mirrored_in_a_line(columns: list[Any]) -> None:
    message, told = mirror_message([Entry(*columns)])
    assert told == 1
    assert "\n" not in message.text


def test_an_entry_is_mirrored_with_its_number_and_hash() -> None:
    entry = Entry(
        7, STORY.at, "delivered", "cap-7f3k9q", "traefik", "cheddar", "worker@host", "{}", "ab" * 32
    )
    assert mirror_message([entry, entry._replace(number=8, capture_id=None, namespace=None)])[0].text == (
        "`7` 2026-11-23T09:00:00Z · *delivered* · `cap-7f3k9q` · `traefik/cheddar` · by `worker@host`"
        f" · `{'ab' * 32}`"
        f"\n`8` 2026-11-23T09:00:00Z · *delivered* · `-` · by `worker@host` · `{'ab' * 32}`"
    )


def test_an_entry_of_several_targets_is_mirrored_with_all_of_them() -> None:
    facts = '{"of":"traefik/cheddar -> shop/svc/db"}'
    entry = Entry(7, STORY.at, "delivered", "cap-7f3k9q", "traefik", "cheddar", "w", facts, "ab" * 32)
    assert " · `traefik/cheddar -&gt; shop/svc/db` · by" in mirror_message([entry])[0].text
    node = entry._replace(namespace="", pod="node/n1", facts="{}")
    assert " · `node/n1` · by" in mirror_message([node])[0].text
