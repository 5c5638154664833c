"""The Status that ends an exec, against what a real cluster sent."""

import base64
import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.kubelet.exec_status import exited, not_started

RECORDED = json.loads((Path(__file__).parents[2] / "evidence" / "exec-websocket.json").read_text())


def statuses() -> list[tuple[str, list[str], dict[str, Any]]]:
    """Protocol, command and the frame with the Status of every recorded exec that had one."""
    found = []
    for one in RECORDED:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(one["request"]["path"]).query)
        frames = [frame for frame in one.get("frames", []) if frame["channel"] == 3]
        found += [(one["request"]["subprotocol"], query["command"], frame) for frame in frames]
    return found


WHOLE = [one for one in statuses() if "length" not in one[2]]
CUT = [one for one in statuses() if "length" in one[2]]


@pytest.mark.parametrize(("protocol", "command", "frame"), WHOLE)
def test_an_exit_is_told_byte_for_byte_as_recorded(
    protocol: str, command: list[str], frame: dict[str, Any]
) -> None:
    sent = base64.b64decode(frame["data_base64"])
    status = json.loads(sent)
    causes = status.get("details", {}).get("causes", [{"message": "0"}])

    assert exited(protocol, command, int(causes[0]["message"])) == sent


@pytest.mark.parametrize(("protocol", "command", "frame"), CUT)
def test_a_program_that_is_not_there_is_told_in_as_many_bytes_as_recorded(
    protocol: str, command: list[str], frame: dict[str, Any]
) -> None:
    complaint = f'exec: "{command[0]}": executable file not found in $PATH'
    status = not_started(protocol, "a" * 64, complaint)

    assert len(status) == frame["length"]
    assert json.loads(status)["code"] == 500


def test_the_recording_has_both_protocols_and_both_kinds() -> None:
    assert {one[0] for one in WHOLE} == {one[0] for one in CUT} == {"v4.channel.k8s.io", "v5.channel.k8s.io"}
