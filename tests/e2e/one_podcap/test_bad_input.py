"""Whatever is typed, the answer is one clear sentence, and the cluster is not touched."""

from typing import Any

import pytest

AT_ONCE = {
    "no target": ("", "which pod"),
    "a namespace without a pod": ("traefik/", "pod is missing"),
    "zero seconds": ("traefik/cheddar 0s", "at least one second"),
    "less than zero seconds": ("traefik/cheddar -5s", "at least one second"),
    "too many hours": ("traefik/cheddar 99h", "at most 10m"),
    "a filter that cannot be parsed": ("traefik/cheddar 30s prot 80", "`prot`"),
    "a filter that begins with a dash": ("traefik/cheddar 30s -w /tmp/x", "cannot begin with"),
    "a shell's semicolon": ("traefik/cheddar 30s port 80; reboot", "`;` means nothing"),
    "a shell's substitution": ("traefik/cheddar 30s port $(id)", "means nothing"),
    "a shell's variable as pod": ("traefik/$HOME", "cannot be a pod"),
    "backticks": ("traefik/cheddar 30s `id`", "`id`"),
    "ten thousand characters": ("x" * 10_000, "which pod"),
    "a filter of ten thousand characters": ("traefik/cheddar 30s " + "port 80 or " * 1000, "at most 1,000"),
    "an emoji": ("traefik/cheddar 30s 🧀", "🧀"),
    "an emoji's name": ("traefik/cheddar 30s :cheese_wedge:", ":cheese_wedge:"),
    "a host name": ("traefik/cheddar 30s host example.com", "example.com"),
}


@pytest.fixture(autouse=True)
def untouched(world: Any) -> Any:
    before = world.pod_requests()
    yield
    assert world.pod_requests() == before
    assert world.agent_pods() == ""


@pytest.mark.parametrize(("text", "words"), AT_ONCE.values(), ids=AT_ONCE.keys())
def test_what_cannot_be_understood_is_answered_at_once(world: Any, text: str, words: str) -> None:
    answer = world.command(text)
    assert answer.status == 200
    assert words in answer.text
    assert "Traceback" not in answer.text


LATER = {
    "a pod that does not exist": ("traefik/cheddar-no-such-pod 5s", "There is no pod cheddar-no-such-pod"),
    "a namespace that does not exist": ("no-such-place/x 5s", "There is no namespace no-such-place"),
    "a namespace the policy does not allow": ("default/x 5s", "does not allow you"),
    "longer than the policy allows": ("traefik/cheddar 6m", "at most 5m"),
}


@pytest.mark.parametrize(("text", "words"), LATER.values(), ids=LATER.keys())
def test_what_cannot_be_captured_is_told_to_the_asker_alone(world: Any, text: str, words: str) -> None:
    assert world.command(text).status == 200
    world.wait_for_whisper(words)


@pytest.mark.parametrize(
    ("pod", "words"),
    [("unschedulable", "is Pending"), ("finished", "has Succeeded"), ("lost", "which is not Ready")],
)
def test_a_pod_that_has_no_packets_now_is_refused(world: Any, pod: str, words: str) -> None:
    assert world.command(f"traefik/{pod} 5s").status == 200
    world.wait_for_whisper(words)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_ones(world: Any) -> None:
    assert world.command("traefik/cheddar 5s").status == 200
    world.wait_for_whisper(world.pod())


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ("random", "/invite @podcap"),
        ("secret", "/invite @podcap"),
        ("@podcap", "direct message"),
        ("@bob", "direct message"),
    ],
)
def test_a_channel_where_podcap_cannot_report_gets_its_sentence(world: Any, channel: str, words: str) -> None:
    assert world.command(f"traefik/{world.pod()} 5s", channel=channel).status == 200
    world.wait_for_whisper(words)


def test_whole_packets_never_go_into_an_externally_shared_channel(world: Any) -> None:
    assert world.command(f"traefik/{world.pod()} 5s full", channel="shared-partner").status == 200
    world.wait_for_whisper("shared with another organization")


def test_who_is_in_no_rule_is_refused_with_a_policy_that_would_do(world: Any) -> None:
    assert world.command(f"traefik/{world.pod()} 5s", user="mallory").status == 200
    said = world.wait_for_whisper("does not allow you", user="mallory")
    assert "mallory@example.com" in said


def test_a_wrong_signature_and_a_stale_timestamp_are_not_let_in(world: Any) -> None:
    assert world.command("traefik/x 5s", wrong_signature=True).status == 401
    assert world.command("traefik/x 5s", age=600).status == 401
