"""Two hundred requests within ten seconds from twenty people while ten captures run, and a slice of that."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import eventually
from tests.e2e.crowd import CHANNEL, POLICY, Asked, Books, ask, figures, let_in
from tests.workers.ledger.installed import install
from workers.ledger.states import State

log = logging.getLogger(__name__)

COUNT, SECONDS, RUNNING, FILTERS = 200, 10.0, 10, 20


def run(world: Any, url: str, count: int, seconds: float, running: int) -> list[Asked]:
    """Asks, and waits until each request has its message in the channel."""
    let_in(world)
    books = Books(url)
    pod = world.pod()
    captures = ask(world, running, seconds=1, text=f"traefik/{pod} 10m")
    eventually(
        lambda: set(books.states(captures)) == {State.CAPTURING}, what=lambda: str(books.states(captures))
    )
    filters = [f"port {number}" for number in range(80, 80 + FILTERS)]
    began = time.monotonic()
    asked = ask(world, count, seconds=seconds, text=f"traefik/{pod} 1s", filters=filters)
    log.info("%d acks: %s", count, figures(asked))
    assert [one.said for one in asked if not one.capture] == []
    assert len({one.capture for one in asked}) == count
    while before := len(books.without_message(asked)):
        eventually(partial(_fewer, books, asked, before), what=lambda: str(books.without_message(asked)))
    counts = world.control("state")["calls"]["counts"]
    log.info("each has its message after %.0f s; Slack was asked %s", time.monotonic() - began, counts)
    eventually(
        lambda: set(books.states(asked)) == {State.QUEUED}, what=lambda: f"a place: {books.states(asked)}"
    )
    assert set(books.states(captures)) == {State.CAPTURING}
    texts = [one["text"] for one in world.control("state")["messages"][CHANNEL]]
    # From its first word on, so that no change of it has to be waited for.
    placed = " ".join(text for text in texts if " in the queue, " in text)
    assert [one.capture for one in asked if f"`{one.capture}`" not in placed] == []
    books.close()
    return asked


def _fewer(books: Books, asked: list[Asked], before: int) -> bool:
    return len(books.without_message(asked)) < before


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_hundred_requests_are_acked_in_time_and_each_gets_its_message(
    make_world: Callable[..., Any], request: pytest.FixtureRequest, database: str
) -> None:
    with ExitStack() as stack:
        # The ten take all the room, so that each of the others waits in the line.
        settings = {"PODCAP_CAPTURES_PER_NODE": "10", "PODCAP_CAPTURES_PER_CHANNEL": "10"}
        if database == "postgresql":
            made = stack.enter_context(install(request.getfixturevalue("postgresql")))
            subprocess.run(
                [sys.executable, "-m", "workers.ledger"],
                env={"PODCAP_DATABASE_URL": made.url, "PODCAP_DATABASE_OWNER_URL": made.owner_url},
                check=True,
            )
            settings["PODCAP_DATABASE_URL"] = made.url
        world = make_world(policy=POLICY, settings=settings)
        url = world.environment["PODCAP_DATABASE_URL"]
        times = sorted(one.milliseconds for one in run(world, url, COUNT, SECONDS, RUNNING))
        world.stop()
    assert times[-1] <= 3000
    assert times[len(times) * 99 // 100 - 1] <= 1000
