"""With Redis down a request is accepted, says so, and starts by itself when Redis is back."""

from typing import Any

import redis

from tests.e2e.conftest import eventually


def test_a_request_made_while_redis_is_down_says_so_and_starts_when_it_is_back(world: Any) -> None:
    world.redis.stop()
    answer = world.command(f"traefik/{world.pod()} 1s")
    assert answer.status == 200
    assert "is written down" in answer.text
    thread = world.wait_for_words("queue cannot be reached")
    assert "or expires at" in thread
    world.redis.start()
    world.wait_for_end()
    assert world.agent_pods() == ""


def test_a_request_that_waited_too_long_expires_in_its_message_without_redis(world: Any) -> None:
    world.redis.stop()
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("queue cannot be reached")
    world.let_the_waiting_expire()
    world.wait_for_words("No worker took this capture in time")
    world.redis.start()


def test_a_redis_that_loses_everything_loses_no_capture(world: Any) -> None:
    world.podcap.stop("worker")
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("Waiting for a worker")
    with redis.Redis(port=world.redis.port, decode_responses=True) as client:
        eventually(lambda: "list" in map(client.type, client.keys()), what=lambda: "the capture in the queue")
        client.flushall()
    world.podcap.start("worker")
    world.wait_for_end()
