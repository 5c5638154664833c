"""podcap as it is installed: each process with its own account and rights; enough, and nothing more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.lab.grants import Access, asked, granted
from deploy.lab.handle import LabHandle
from deploy.lab.install import AGENT_IMAGE, account, installed, render
from deploy.lab.slack.scopes import BOT_SCOPES
from tests.e2e.conftest import POLICY, eventually
from workers.cluster.cluster import connect

ACCOUNTS = ("bot", "worker", "beat")
AGENTS = "podcap-agents"
FLEETING = "fleeting"
MANIFEST = Path(__file__).parents[2] / "deploy" / "slack" / "manifest.yaml"


@pytest.fixture(scope="module")
def chosen(lab: LabHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(lab, tmp_path_factory.mktemp("installed")) as folder:
        yield folder


@pytest.fixture(scope="module")
def since(lab: LabHandle) -> int:
    """How long the log of requests was before podcap began."""
    return (lab.directory / "requests.jsonl").stat().st_size


@pytest.fixture(scope="module")
def world(lab: LabHandle, chosen: Path, since: int, make_world: Callable[..., Any]) -> Iterator[Any]:
    """podcap after it has met everything that makes it ask the cluster something."""
    del since
    world = make_world(
        # Logs are read with a component of their own.
        policy=POLICY.replace("no-such-place]", f'no-such-place, {FLEETING}]\n    nodes: ["*"]').replace(
            "    logs: true\n", ""
        ),
        settings={"PODCAP_AGENT_NAMESPACE": AGENTS, "PODCAP_AGENT_IMAGE": AGENT_IMAGE},
        own={name: {"KUBECONFIG": str(account(lab, name, chosen))} for name in ACCOUNTS},
    )
    world.control("scopes", {"scopes": yaml.safe_load(MANIFEST.read_text())["oauth_config"]["scopes"]["bot"]})
    try:
        agent = capture_and_stop(lab, world)
        ask_for_what_is_not_there(world)
        lose_a_pod_before_its_turn(lab, world)
        leave_an_agent_pod_behind(lab, chosen, agent)
        leave_admission_to_beat(world)
        yield world
    finally:
        world.control("scopes", {"scopes": BOT_SCOPES})
        lab.kubectl("delete", "namespace", FLEETING, "--ignore-not-found")


def capture_and_stop(lab: LabHandle, world: Any) -> dict[str, Any]:
    """The agent pod of the capture that was stopped, as it may be created again."""
    with world.traffic():
        world.command(f"traefik/{world.pod()} 3s full port 80")
        world.wait_for_end()
        world.command(f"traefik/{world.pod()} 2m port 80")
        world.wait_for_words("of 2m ·")
        (agent,) = lab.pods(f"podcap.dev/capture={world.capture}", AGENTS)
        world.click("stop_capture", user="alice")
        world.wait_for_words("Stopped by")
    kept = {key: agent["metadata"][key] for key in ("name", "namespace", "labels")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": agent["spec"]}


# One of each kind, some of them there, so that each is looked up.
OF_EACH_KIND = (
    "traefik/svc/cheddar traefik/deploy/cheddar traefik/sts/none traefik/ds/none traefik/job/none node/none"
)


def ask_for_what_is_not_there(world: Any) -> None:
    world.command(f"{OF_EACH_KIND} 1s")
    world.wait_for_whisper("There is no node none")
    world.command("traefik/cheddar 1s")
    world.wait_for_whisper("There is no pod cheddar in namespace traefik")
    world.command("no-such-place/cheddar 1s")
    world.wait_for_whisper("There is no namespace no-such-place")


def lose_a_pod_before_its_turn(lab: LabHandle, world: Any) -> None:
    """The worker, too, says what is near; here even the namespace is empty."""
    lab.kubectl("create", "namespace", FLEETING)
    world.podcap.stop("worker")
    with lab.pod("gone", {}, namespace=FLEETING):
        world.command(f"{FLEETING}/gone 1s")
        world.wait_for_words("Waiting for a worker")
    world.podcap.start("worker")
    world.wait_for_words("There is no pod gone")


def leave_an_agent_pod_behind(lab: LabHandle, folder: Path, agent: dict[str, Any]) -> None:
    """As a worker does that dies before it removes it."""
    name = agent["metadata"]["name"]
    with connect(account(lab, "worker", folder)) as cluster:
        cluster.create_pod(AGENTS, agent)
    eventually(
        lambda: not lab.kubectl("get", "pod", name, "-n", AGENTS, "--ignore-not-found"),
        what=lambda: f"{name} to be removed",
    )


def leave_admission_to_beat(world: Any) -> None:
    """Slack does not answer the bot at first, so beat asks the cluster in its place."""
    fault = {"method": "conversations.info", "kind": "error", "error": "fatal_error"}
    for target, said in (
        ("traefik/brie", "There is no pod brie in namespace traefik"),
        ("no-such-place/brie", "There is no namespace no-such-place"),
        (OF_EACH_KIND, "There is no node none"),
        (f"traefik/{world.pod()}", ""),
    ):
        world.control("faults", fault)
        world.command(f"{target} 1s")
        world.wait_for_whisper(f"`{world.capture}` waits")
        # Until beat has asked Slack again: else it would meet the next one's fault.
        world.wait_for_whisper(said)
    world.wait_for_end()


@pytest.fixture(scope="module")
def requests(lab: LabHandle, world: Any, since: int) -> tuple[set[Access], list[dict[str, Any]]]:
    del world
    return asked(lab.directory / "requests.jsonl", since, "podcap")


@pytest.fixture(scope="module")
def rights(chosen: Path) -> set[Access]:
    return granted(render(chosen))


def test_no_request_is_refused(requests: tuple[set[Access], list[dict[str, Any]]]) -> None:
    assert requests[1] == []


def test_every_request_needs_a_right_that_is_there_and_every_right_is_needed(
    requests: tuple[set[Access], list[dict[str, Any]]], rights: set[Access]
) -> None:
    needed = set()
    for access in requests[0]:
        # The narrowest right that covers it; what a cluster-wide one covers as well does not speak for that.
        covering = sorted(
            (right for right in rights if right.covers(access)), key=lambda one: one.namespace == "*"
        )
        assert covering, access
        needed.add(covering[0])
    # A WebSocket's handshake is a GET, and the API server asks for the right to create as well.
    execs = {right for right in needed if right.resource == "pods/exec"}
    needed |= {Access(right.account, "create", right.resource, right.namespace) for right in execs}
    assert sorted(needed) == sorted(rights)


def test_no_agent_pod_is_left(lab: LabHandle, world: Any) -> None:
    del world
    assert lab.kubectl("get", "pods", "-n", AGENTS, "-o", "name") == ""
