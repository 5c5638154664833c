"""Slack failing on the way: nothing is lost, and what can be said is said."""

from typing import Any


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
    fault = {"method": "files.getUploadURLExternal", "kind": "error", "error": "file_uploads_disabled"}
    world.control("faults", fault)
    world.command(f"traefik/{world.pod()} 1s port 80")
    thread = world.wait_for_words("kept as")
    assert "does not allow files" in thread
    assert [path.name for path in (world.folder / "captures").iterdir() if path.name in thread]
    assert world.agent_pods() == ""


def test_an_end_that_slack_did_not_take_is_shown_later(world: Any) -> None:
    world.command(f"traefik/{world.pod()} 3s")
    world.wait_for_words("Capturing")
    fault = {"method": "chat.update", "kind": "error", "error": "internal_error", "times": 12}
    world.control("faults", fault)
    world.wait_for_end()


def test_calls_that_took_effect_and_whose_answers_were_lost_show_nothing_twice(world: Any) -> None:
    for method, times in (
        ("chat.postMessage", 3),
        ("chat.update", 3),
        ("files.getUploadURLExternal", 1),
        ("upload", 1),
        ("files.completeUploadExternal", 1),
    ):
        world.control("faults", {"method": method, "kind": "lost", "times": times})
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("is over (delivered)")
    state = world.control("state")
    assert state["faults"] == []
    messages = state["messages"]["incidents"]
    (head,) = (one for one in messages if one["text"].startswith(f"*Capture* `{world.capture}`"))
    thread = [one for one in messages if one.get("thread_ts") == head["ts"] and one is not head]
    # Summary, file, closing.
    assert len(thread) == 3, thread
    assert sum(len(one.get("files", [])) for one in thread) == 1
