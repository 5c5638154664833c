"""Slack failing on the way: nothing is lost, and what can be said is said."""

from collections.abc import Iterator
from typing import Any

import pytest

FILE = "_traefik_"
"""In the name of a file of packets, not in that of a picture: whether one is painted, timing decides."""


@pytest.fixture(autouse=True)
def no_fault_for_others(world: Any) -> Iterator[None]:
    yield
    world.forget_faults()


def test_a_slack_that_limits_posting_delays_the_capture_and_does_not_lose_it(world: Any) -> None:
    world.control("faults", {"method": "chat.postMessage", "kind": "ratelimited", "seconds": 1})
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_end()


def test_an_error_while_the_channel_is_looked_up_is_told_and_tried_again(world: Any) -> None:
    world.control("faults", {"method": "conversations.info", "kind": "error", "error": "fatal_error"})
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_whisper("podcap keeps trying")
    world.wait_for_end()


def test_a_file_that_slack_refuses_ends_in_a_sentence_and_is_kept(world: Any) -> None:
    refused = {"method": "files.getUploadURLExternal", "kind": "error", "error": "file_uploads_disabled"}
    world.control("faults", refused | {"containing": FILE})
    world.command(f"traefik/{world.pod()} 1s port 80")
    thread = world.wait_for_words("kept as")
    assert "does not allow files" in thread
    assert [path.name for path in (world.folder / "captures").iterdir() if path.name in thread]
    assert world.agent_pods() == ""


def test_an_end_that_slack_did_not_take_is_shown_later(world: Any) -> None:
    world.command(f"traefik/{world.pod()} 2m")
    world.wait_for_words("of 2m ·")
    fault = {"method": "chat.update", "kind": "error", "error": "internal_error", "times": 3}
    world.control("faults", fault | {"containing": "Stopped by"})
    world.click("stop_capture", user="alice")
    world.wait_for_words("Stopped by")


def test_calls_that_took_effect_and_whose_answers_were_lost_show_nothing_twice(world: Any) -> None:
    for method, times, containing in (
        ("chat.postMessage", 3, ""),
        ("chat.update", 3, ""),
        ("files.getUploadURLExternal", 1, FILE),
        ("upload", 1, FILE),
        ("files.completeUploadExternal", 1, FILE),
    ):
        fault = {"method": method, "kind": "lost", "times": times, "containing": containing}
        world.control("faults", fault)
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("is over (delivered)")
    state = world.control("state")
    assert state["faults"] == []
    messages = state["messages"]["incidents"]
    (head,) = (one for one in messages if one["text"].startswith(f"*Capture* `{world.capture}`"))
    thread = [one for one in messages if one.get("thread_ts") == head["ts"] and one is not head]
    files = [file["name"] for one in thread for file in one.get("files", [])]
    assert len([name for name in files if FILE in name]) == 1
    # Summary, closing, and the files: packets, context, and the picture where there was a course to paint.
    assert len(thread) == 2 + len(files), thread
    assert len(files) == len(set(files)) <= 3, files
