"""What Slack's editor makes of a command is understood, not refused."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "text",
    [
        "traefik/{pod} 1s tcp[13] & 4 != 0",
        "traefik/{pod} 1s “port 80”",
        "traefik/{pod} 1s ‘tcp and port 80’",  # noqa: RUF001, what the editor makes of quotes
        "`traefik/{pod}` 1s port 80",
        "traefik/{pod}\u00a01s  port 80",
    ],
)
def test_smart_quotes_and_escapes_are_taken_as_what_was_typed(world: Any, text: str) -> None:
    answer = world.command(text.format(pod=world.pod()))
    assert answer.status == 200
    assert "is written down" in answer.text
    world.wait_for_end()
