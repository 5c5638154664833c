"""The same job over Socket Mode, where Slack needs no way in."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def connected(make_world: Any) -> Any:
    return make_world(socket_mode=True)


def test_a_command_over_socket_mode_becomes_a_file_in_the_thread(connected: Any) -> None:
    answer = connected.command(f"traefik/{connected.pod()} 3s full port 80")
    assert "is written down" in answer.text
    connected.wait_for_end()
    assert connected.file().stat().st_size > 24
    assert connected.agent_pods() == ""


def test_stop_is_pressed_over_socket_mode_too(connected: Any) -> None:
    connected.command(f"traefik/{connected.pod()} 2m")
    connected.wait_for_words("Capturing")
    connected.click("stop_capture", user="alice")
    connected.wait_for_words("Stopped by")


def test_health_is_told_in_socket_mode_too_and_no_request_is_taken_over_http(connected: Any) -> None:
    assert connected.http("/healthz") == 200
    assert connected.http("/slack/events") == 404
