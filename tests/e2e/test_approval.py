"""A rule that asks for a second person: the message calls them, and one of them decides."""

from collections.abc import Callable
from typing import Any

POLICY = """\
rules:
  - users: ["@oncall"]
    namespaces: [traefik]
    approval: ["@security"]
"""


def test_a_capture_begins_when_a_second_person_whom_the_rule_names_approves(
    make_world: Callable[..., Any],
) -> None:
    world = make_world(policy=POLICY)
    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("Waiting for approval by @security, until ")
    requests = world.pod_requests()
    world.click("approve_capture", user="alice")
    world.wait_for_whisper("You asked for this capture yourself")
    world.click("approve_capture", user="mallory")
    world.wait_for_whisper("does not let you approve this capture", user="mallory")
    assert world.pod_requests() == requests
    twice = {"user": "bob", "channel": "incidents", "action_id": "approve_capture", "times": 2}
    world.control("click", twice)
    thread = world.wait_for_end()
    assert "asked for by @alice, approved by @bob" in thread
    assert world.pod_requests() == requests + 1

    world.command(f"traefik/{world.pod()} 1s")
    world.wait_for_words("Waiting for approval")
    world.click("deny_capture", user="bob")
    world.wait_for_words("@bob did not approve it.")
    assert world.pod_requests() == requests + 1


def test_so_many_pods_are_captured_when_their_asker_says_that_they_are_meant(
    make_world: Callable[..., Any],
) -> None:
    world = make_world(settings={"PODCAP_ASK_ABOVE": "2"})
    requests = world.pod_requests()
    world.command("traefik/deploy/cheddar 1s")
    world.wait_for_words("All of these, @alice? Press Capture until")
    world.click("confirm_capture", user="bob")
    world.wait_for_whisper("who asked for it, can say that so much is meant", user="bob")
    assert world.pod_requests() == requests
    world.click("confirm_capture", user="alice")
    thread = world.wait_for_end()
    assert "3 pods on 3 nodes" in thread
    assert world.pod_requests() == requests + 3
