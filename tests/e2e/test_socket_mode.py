"""The same job over Socket Mode, where Slack needs no way in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def connected(lab: Any, make_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    world = make_world(Path(lab.directory), tmp_path_factory.mktemp("podcap"), socket_mode=True)
    try:
        world.start()
        yield world
    finally:
        world.stop()


def test_a_command_over_socket_mode_becomes_a_file_in_the_thread(connected: Any) -> None:
    answer = connected.command(f"traefik/{connected.pod()} 3s full port 80")
    assert "is written down" in answer.text
    thread = connected.wait_for_end()
    assert ".pcap" in thread
    assert connected.agent_pods() == ""


def test_stop_is_pressed_over_socket_mode_too(connected: Any) -> None:
    connected.command(f"traefik/{connected.pod()} 2m")
    connected.wait_for_words("Capturing")
    connected.click("stop_capture", user="alice")
    connected.wait_for_words("Stopped by")


def test_health_is_told_in_socket_mode_too_and_no_request_is_taken_over_http(connected: Any) -> None:
    assert connected.http("/healthz") == 200
    assert connected.http("/slack/events") == 404
