"""The buttons of a running capture: Stop ends it early and keeps what it has, +30s lets it run longer."""

from typing import Any


def test_a_running_capture_that_is_stopped_delivers_what_it_has(world: Any) -> None:
    with world.traffic():
        world.command(f"traefik/{world.pod()} 2m full port 80")
        world.wait_for_words("of 2m ·")
        world.click("stop_capture", user="bob")
        thread = world.wait_for_words("Stopped by")
    assert "@bob" in thread
    assert world.file().stat().st_size > 24
    assert world.agent_pods() == ""
    world.wait_for_no_leftovers()


def test_a_running_capture_is_given_more_time_by_whom_the_policy_allows_it(world: Any) -> None:
    with world.traffic():
        world.command(f"traefik/{world.pod()} 2m port 80")
        world.wait_for_words("of 2m ·")
        world.click("extend_capture", user="mallory")
        world.wait_for_whisper("policy does not allow you", user="mallory")
        world.click("extend_capture", user="bob")
        world.wait_for_words("of 2m30s ·")
        world.click("stop_capture", user="bob")
        world.wait_for_words("Stopped by")
    assert world.agent_pods() == ""


def test_a_capture_that_waits_for_a_worker_is_stopped_before_it_began(world: Any) -> None:
    world.podcap.stop("worker")
    world.command(f"traefik/{world.pod()} 2m")
    world.wait_for_words("Waiting for a worker")
    world.click("stop_capture", user="alice")
    world.wait_for_words("before it began")
    requests = world.pod_requests()
    world.podcap.start("worker")
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_end()
    assert world.pod_requests() == requests + 1
