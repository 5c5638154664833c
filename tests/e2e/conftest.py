"""podcap as its user meets it: the Procfile's processes, the lab's cluster and Slack, a Redis of its own."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.procfile import Procfile
from deploy.lab.redis import RedisServer, free_port

POLICY = """\
rules:
  - channels: [shared-partner]
    namespaces: [traefik]
    payload: true
  - users: ["@oncall"]
    namespaces: [traefik, kube-system, podcap]
    max_duration: 5m
    payload: true
"""


def eventually(question: Callable[[], Any], *, seconds: float = 60, what: str = "") -> Any:
    """The first answer that is true; a test that waits longer than `seconds` has failed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.2)
    pytest.fail(f"waited {seconds} s in vain: {what or question}")


@dataclass
class Answer:
    """What a person saw within the three seconds after a command."""

    status: int
    text: str


class World:
    """A running podcap, and the hands and eyes of a person at it."""

    def __init__(self, lab: Path, folder: Path, *, socket_mode: bool = False) -> None:
        self.lab = lab
        self.folder = folder
        self.slack = json.loads((lab / "slack.json").read_text())
        self.redis = RedisServer(folder / "redis")
        self.port = free_port()
        self.socket_mode = socket_mode
        policy = folder / "policy.yaml"
        policy.write_text(POLICY)
        self.environment = {
            "SLACK_BOT_TOKEN": self.slack["bot_token"],
            "SLACK_API_URL": self.slack["api_url"],
            "PORT": str(self.port),
            "KUBECONFIG": str(lab / "kubeconfig"),
            "PODCAP_BROKER_URL": self.redis.url,
            "PODCAP_DATABASE_URL": f"sqlite:///{folder}/podcap.db",
            "PODCAP_STORE_URL": str(folder / "captures"),
            "PODCAP_AGENT_IMAGE": "podcap-agent:lab",
            "PODCAP_POLICY": str(policy),
            "TMPDIR": str(folder / "tmp"),
        }
        if socket_mode:
            self.environment["SLACK_APP_TOKEN"] = self.slack["app_token"]
        else:
            self.environment["SLACK_SIGNING_SECRET"] = self.slack["signing_secret"]
        (folder / "tmp").mkdir()
        self.podcap = Procfile(self.environment, folder / "logs")

    def start(self) -> None:
        """Starts Redis and the Procfile's processes and connects Slack to the bot."""
        self.redis.start()
        self.podcap.start()
        eventually(self._is_ready, what="the bot to be ready")
        url = "" if self.socket_mode else f"http://127.0.0.1:{self.port}/slack/events"
        self.control("request-url", {"url": url})
        if self.socket_mode:
            eventually(lambda: "Socket Mode is connected" in self.podcap.log("bot"), what="Socket Mode")

    def stop(self) -> None:
        """Ends everything that `start` started."""
        self.podcap.stop()
        self.redis.stop()

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Asks the Slack stand-in's control."""
        url = f"{self.slack['control_url']}/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return (
            json.loads(content)
            if answer.headers.get_content_type() == "application/json"
            else content.decode()
        )

    def command(
        self, text: str, *, user: str = "alice", channel: str = "incidents", **options: Any
    ) -> Answer:
        """Types `/podcap TEXT`."""
        answer = self.control("command", {"user": user, "channel": channel, "text": text, **options})
        body = answer["ack_body"]
        return Answer(answer["ack_status"], body.get("text", "") if isinstance(body, dict) else body or "")

    def thread(self, channel: str = "incidents") -> str:
        """The latest thread of a channel, as a person reads it."""
        return str(self.control(f"thread?channel={channel}"))

    def whispers(self, user: str = "alice") -> str:
        """Everything that only this person was shown."""
        return str(self.control(f"ephemeral?user={user}"))

    def kubectl(self, *arguments: str) -> str:
        """Runs kubectl against the lab."""
        done = subprocess.run(
            [".venv/bin/kubectl", "--kubeconfig", self.lab / "kubeconfig", *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def pod(self, selector: str = "task=cheddar") -> str:
        """The name of the first pod in namespace traefik with this label."""
        path = "jsonpath={.items[0].metadata.name}"
        return self.kubectl("get", "pods", "-n", "traefik", "-l", selector, "-o", path)

    def wait_for_end(self, channel: str = "incidents") -> str:
        """The latest thread of a channel, once its capture has ended well and everything is in it."""

        def ended() -> str:
            thread = self.thread(channel)
            assert "❌" not in thread, f"{thread}\n{self.podcap.log('worker')}"
            assert ":x:" not in thread, f"{thread}\n{self.podcap.log('worker')}"
            return thread if "Done:" in thread.replace("*", "") else ""

        return str(eventually(ended, seconds=90, what="the capture's end"))

    def wait_for_whisper(self, words: str, user: str = "alice") -> str:
        """Everything that only this person was shown, once it holds these words."""

        def whispered() -> str:
            said = self.whispers(user)
            return said if words in said else ""

        return str(eventually(whispered, seconds=30, what=f"{words!r}; heard: {self.whispers(user)[-600:]}"))

    def pod_requests(self) -> int:
        """How many pods podcap has asked the cluster to create."""
        lines = (self.lab / "requests.jsonl").read_text().splitlines()
        return sum(
            (entry["verb"], entry["resource"], entry["namespace"]) == ("create", "pods", "podcap")
            for entry in map(json.loads, lines)
        )

    def leftovers(self) -> list[str]:
        """Files that podcap's processes left in their temporary folder."""
        return [str(path) for path in (self.folder / "tmp").rglob("*")]

    def agent_pods(self) -> str:
        """The names of all agent pods, whatever their state."""
        return self.kubectl("get", "pods", "-n", "podcap", "-o", "name")

    def _is_ready(self) -> bool:
        for name, process in self.podcap.processes.items():
            assert process.poll() is None, f"{name} ended: {self.podcap.log(name)}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def world(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """podcap over HTTP, for the tests of one file."""
    world = World(Path(lab.directory), tmp_path_factory.mktemp("podcap"))
    try:
        world.start()
        yield world
    finally:
        world.stop()
