"""More captures than there may be at once: they wait, say where they stand, and begin by themselves."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any


def test_what_exceeds_a_limit_waits_in_the_channel_and_begins_when_there_is_room(
    make_world: Callable[..., Any],
) -> None:
    world = make_world(settings={"PODCAP_CAPTURES_PER_USER": "1", "PODCAP_WAITING_PER_USER": "1"})
    world.command(f"traefik/{world.pod()} 2m")
    first = world.capture
    world.wait_for_words("of 2m ·")
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("Waiting: 1st in the queue, @alice has 1 capture running, the most that one person")
    second = world.capture
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_whisper("You have 1 capture waiting already")
    with closing(sqlite3.connect(world.folder / "podcap.db", timeout=20)) as ledger:
        (ts,) = ledger.execute("SELECT message_ts FROM captures WHERE id = ?", (first,)).fetchone()
    world.control("click", {"user": "alice", "channel": "incidents", "action_id": "stop_capture", "ts": ts})
    world.capture = second
    world.wait_for_end()
    assert world.agent_pods() == ""
