from workers.trail.entry import Entry, canonical
from workers.trail.story import story


def entry(number: int, event: str, **facts: object) -> Entry:
    at = f"2026-11-23T09:00:{number:02}.000000Z"
    return Entry(number, at, event, "cap-7f3k9q", "traefik", "cheddar", "U1", canonical(facts), "0" * 64)


def test_a_story_has_who_asked_and_the_last_state_with_all_that_is_known() -> None:
    told = story(
        [
            entry(1, "requested", seconds=30, filter="port 80"),
            entry(2, "queued"),
            entry(3, "stop requested"),
            entry(4, "stopped", packets=7),
            entry(5, "downloaded", packets=7),
        ]
    )
    assert told is not None
    assert (told.by, told.at, told.state) == ("U1", "2026-11-23T09:00:01.000000Z", "stopped")
    assert told.known == {"seconds": 30, "filter": "port 80", "packets": 7}


def test_entries_that_do_not_begin_with_a_request_are_no_story() -> None:
    assert story([entry(2, "queued")]) is None


def test_no_entries_are_no_story() -> None:
    assert story([]) is None


def test_facts_that_somebody_made_unreadable_break_no_story() -> None:
    told = story([entry(1, "requested")._replace(facts="{"), entry(2, "queued")])
    assert told is not None
    assert told.state == "queued"
