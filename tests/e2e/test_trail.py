"""The trail of captures that people asked for in Slack."""

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.cluster import kubectl_command
from deploy.lab.slack.world import slack_id
from tests.bot.terminal.conftest import Terminal, Typed, typed
from workers.ledger.engine import open_engine
from workers.trail.trail import Trail, Wanted

__all__ = ["typed"]

Podcap = Callable[..., "subprocess.CompletedProcess[str]"]
_HASH = re.compile(r"[0-9a-f]{64}")


_POLICY = """\
rules:
  - channels: [shared-partner]
  - users: ["@oncall", "kubernetes:lab-admin"]
    namespaces: [traefik]
    payload: true
audit:
  - users: ["@security"]
"""


@pytest.fixture(scope="module")
def world(make_world: Callable[..., Any]) -> Any:
    """podcap with a mirror channel and the log, and bob who may read the trail."""
    mirror = {"PODCAP_AUDIT_CHANNEL": slack_id("C", "general"), "PODCAP_AUDIT_LOG": "true"}
    return make_world(policy=_POLICY, settings=mirror)


@pytest.fixture(scope="module")
def delivered(world: Any) -> str:
    """The id of a capture that was made, its thread complete."""
    with world.traffic():
        world.command(f"traefik/{world.pod()} 3s full port 80")
        world.wait_for_end()
        world.wait_for_words("podcap audit verify")
    return str(world.capture)


@pytest.fixture
def podcap(world: Any, typed: Typed, tmp_path_factory: pytest.TempPathFactory) -> Podcap:
    """Types `podcap …` at the world's database."""
    names = ("PODCAP_DATABASE_URL", "PODCAP_STORE_URL", "PODCAP_POLICY", "KUBECONFIG")
    settings = {name: world.environment[name] for name in names}
    terminal = Terminal(tmp_path_factory.mktemp("terminal"), **settings)

    def type_words(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(words, *typed(terminal, *words))

    return type_words


def facts(world: Any, capture: str) -> dict[str, dict[str, Any]]:
    """The facts of a capture's entries by their events, in their order."""
    engine = open_engine(world.environment["PODCAP_DATABASE_URL"])
    entries = list(Trail(engine).entries(Wanted(capture_id=capture)))
    engine.dispose()
    return {entry.event: dict(entry.known()) for entry in entries}


def test_every_step_of_a_capture_is_an_entry(world: Any, delivered: str) -> None:
    assert list(facts(world, delivered)) == [
        "requested",
        "queued",
        "tapping",
        "tapped",
        "capturing",
        "collecting",
        "summarising",
        "delivering",
        "picture delivered",
        "context delivered",
        "file delivered",
        "delivered",
    ]


def test_the_trail_knows_who_asked_and_where(world: Any, delivered: str) -> None:
    known = facts(world, delivered)
    assert known["requested"]["user_name"] == "alice"
    assert known["requested"]["user_id"].startswith("U")
    assert known["requested"]["channel_id"].startswith("C")
    assert known["requested"]["team_id"].startswith("T")
    assert known["queued"]["user_email"] == "alice@example.com"
    assert known["queued"]["channel_name"] == "incidents"
    assert known["queued"]["rule"] == 2
    assert "/archives/C" in known["queued"]["thread"]


def test_the_trail_knows_what_was_tapped_and_with_which_proof(world: Any, delivered: str) -> None:
    known = facts(world, delivered)["tapped"]
    pod = world.lab.get("pod", world.pod())
    assert known["pod_uid"] == pod["metadata"]["uid"]
    assert known["node"] == pod["spec"]["nodeName"]
    assert known["interface"].startswith("veth")
    assert known["confidence"] == "high"
    assert any("peer index" in statement for statement in known["proof"])
    assert known["filter_compiled"] == "port 80"
    assert known["limits"]["seconds"] == 3
    assert known["limits"]["snaplen"] == 0
    assert known["agent_image"]["tap"]


def test_the_trail_has_the_hashes_of_spool_and_file(world: Any, delivered: str) -> None:
    known = facts(world, delivered)
    file = hashlib.sha256(world.file().read_bytes()).hexdigest()
    assert known["file delivered"]["sha256"] == file
    # The spool is what tcpdump wrote, the file is pcapng.
    assert _HASH.fullmatch(known["summarising"]["spool_sha256"])
    assert known["summarising"]["spool_sha256"] != file
    assert known["summarising"]["packets"] > 0
    assert known["summarising"]["dropped"] == 0


def test_the_threads_last_message_carries_a_head_that_verifies(
    world: Any, delivered: str, podcap: Podcap
) -> None:
    last = world.wait_for_words("podcap audit verify").rsplit(delivered, 1)[1]
    (head,) = _HASH.findall(last)
    checked = podcap("audit", "verify", "--head", head)
    assert checked.returncode == 0, checked.stderr
    assert "intact" in checked.stdout
    other = podcap("audit", "verify", "--head", "0" * 63 + "1")
    assert other.returncode == 1
    assert "cut" in other.stderr


def test_whom_the_policy_names_is_told_who_captured(world: Any, delivered: str) -> None:
    world.command(f"audit traefik/{world.pod()} since 7d", user="bob")
    said = world.wait_for_whisper(delivered, user="bob")
    assert "@alice" in said
    assert "delivered" in said
    assert _HASH.search(said)


def test_others_are_refused_and_both_are_in_the_trail(world: Any, delivered: str, podcap: Podcap) -> None:
    world.command("audit", user="alice")
    assert "`audit`" in world.wait_for_whisper("does not allow you to read the audit trail")
    assert delivered not in world.whispers("alice").rpartition("allow you to read the audit trail")[2]
    listed = podcap("audit", "list", "--json").stdout
    assert '"audit denied"' in listed


def test_a_question_that_cannot_be_read_is_answered_at_once(world: Any) -> None:
    assert "no time span" in world.command("audit since yesterday").text


def test_a_denied_capture_is_in_the_trail_with_who_and_why(world: Any) -> None:
    world.command("kube-system/dns 5s", user="mallory")
    world.wait_for_whisper("The policy does not allow you", user="mallory")
    known = facts(world, world.capture)
    assert list(known) == ["requested", "denied"]
    assert known["denied"]["user_email"] == "mallory@example.com"
    assert "does not allow you" in known["denied"]["sentence"]


def test_the_mirror_channel_shows_each_entry_with_its_hash(
    world: Any, delivered: str, podcap: Podcap
) -> None:
    listed = podcap("audit", "list", "--capture", delivered, "--json").stdout
    last = json.loads(listed.splitlines()[-1])["hash"]
    assert world.wait_for_channel(last, "general").count(delivered) == len(listed.splitlines())


def test_the_log_has_each_entry_as_json(world: Any, delivered: str) -> None:
    lines = [line for line in world.podcap.log("worker").splitlines() if '"trail"' in line]
    events = [
        entry["event"]
        for line in lines
        if (entry := json.loads(line[line.index('{"trail"') :])["trail"])["capture_id"] == delivered
    ]
    assert events[:3] == ["tapping", "tapped", "capturing"]


def test_the_pods_owner_sees_by_kubectl_that_it_was_captured(world: Any, delivered: str) -> None:
    argv = kubectl_command(world.lab.places, "describe", "pod", "-n", "traefik", world.pod())
    described = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "PacketCaptureStarted" in described
    assert "PacketCaptureEnded" in described
    assert f"alice captures whole packets of this pod with podcap for 3s ({delivered})" in described


def test_a_file_is_fetched_from_the_store_and_the_trail_says_by_whom(
    world: Any, delivered: str, tmp_path: Path, podcap: Podcap
) -> None:
    fetched = podcap("download", delivered, "-o", str(tmp_path / "file.pcap"))
    assert fetched.returncode == 0, fetched.stderr
    known = facts(world, delivered)
    sha256 = hashlib.sha256((tmp_path / "file.pcap").read_bytes()).hexdigest()
    assert sha256 == known["file delivered"]["sha256"] == known["downloaded"]["sha256"]
    assert known["downloaded"]["where"] == str(tmp_path / "file.pcap")


def test_who_is_not_allowed_the_capture_gets_no_file_and_that_is_in_the_trail(
    world: Any, delivered: str, podcap: Podcap
) -> None:
    policy = Path(world.environment["PODCAP_POLICY"])
    allowing = policy.read_text()
    policy.write_text("rules: []")
    try:
        refused = podcap("download", delivered, "-o", "-")
    finally:
        policy.write_text(allowing)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert "download denied" in facts(world, delivered)


def test_a_file_that_is_not_the_one_that_was_stored_is_not_handed_out(
    world: Any, tmp_path: Path, podcap: Podcap
) -> None:
    with world.traffic():
        world.command(f"traefik/{world.pod()} 1s")
        world.wait_for_end()
    (stored,) = Path(world.environment["PODCAP_STORE_URL"]).glob(f"{world.capture}*")
    stored.write_bytes(stored.read_bytes() + b"\0")
    refused = podcap("download", world.capture, "-o", str(tmp_path / "file.pcap"))
    assert refused.returncode == 1
    assert "SHA-256" in refused.stderr
    assert list(tmp_path.iterdir()) == []

    deleted = podcap("delete", world.capture)
    assert deleted.returncode == 0, deleted.stderr
    assert not stored.exists()
    assert list(facts(world, world.capture))[-1] == "deleted"
    assert "is not in the store" in podcap("download", world.capture).stderr


def test_a_file_of_a_capture_that_never_was_is_one_sentence(podcap: Podcap) -> None:
    refused = podcap("download", "cap-222222")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        refused.stderr
        == "podcap: There is no capture cap-222222: `podcap audit list` shows which there are.\n"
    )
