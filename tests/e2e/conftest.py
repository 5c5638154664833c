"""podcap as its user meets it: the Procfile's processes, the lab's cluster and Slack, a Redis of its own."""

import json
import re
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.procfile import Procfile
from deploy.lab.redis import RedisServer, free_port
from tests.hangs import HANGS

POLICY = """\
rules:
  - channels: [shared-partner]
    namespaces: [traefik]
    payload: true
  - users: ["@oncall"]
    namespaces: [traefik, kube-system, no-such-place]
    max_duration: 5m
    payload: true
    namespace_tap: true
    logs: true
"""


def eventually(question: Callable[[], Any], *, what: Callable[[], str]) -> Any:
    """The first answer that is true; a test that waits longer than `HANGS` seconds has failed."""
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.2)
    pytest.fail(f"waited {HANGS} s in vain: {what()}")


@dataclass
class Answer:
    """What a person saw within the three seconds after a command."""

    status: int
    text: str


class World:
    """A running podcap, and the hands and eyes of a person at it."""

    def __init__(
        self,
        lab: LabHandle,
        folder: Path,
        *,
        socket_mode: bool = False,
        policy: str = POLICY,
        settings: Mapping[str, str] = MappingProxyType({}),
        own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self.lab = lab
        self.folder = folder
        self.slack = json.loads((lab.directory / "slack.json").read_text())
        self.redis = RedisServer(folder / "redis")
        self.port = free_port()
        self.socket_mode = socket_mode
        self.capture = ""
        self._whispered: dict[str, int] = {}
        policy_file = folder / "policy.yaml"
        policy_file.write_text(policy)
        self.environment = {
            "SLACK_BOT_TOKEN": self.slack["bot_token"],
            "SLACK_API_URL": self.slack["api_url"],
            "PORT": str(self.port),
            "KUBECONFIG": str(lab.directory / "kubeconfig"),
            "PODCAP_BROKER_URL": self.redis.url,
            "PODCAP_DATABASE_URL": f"sqlite:///{folder}/podcap.db",
            "PODCAP_STORE_URL": str(folder / "captures"),
            "PODCAP_AGENT_IMAGE": "podcap-agent:lab",
            "PODCAP_POLICY": str(policy_file),
            "TMPDIR": str(folder / "tmp"),
        }
        if socket_mode:
            self.environment["SLACK_APP_TOKEN"] = self.slack["app_token"]
        else:
            self.environment["SLACK_SIGNING_SECRET"] = self.slack["signing_secret"]
        self.environment |= settings
        (folder / "tmp").mkdir()
        self.podcap = Procfile(self.environment, folder / "logs", own)

    def start(self) -> None:
        """Starts Redis and the Procfile's processes and connects Slack to the bot."""
        self.redis.start()
        self.podcap.start()
        eventually(self._is_ready, what=lambda: "the bot to be ready")
        url = "" if self.socket_mode else f"http://127.0.0.1:{self.port}/slack/events"
        self.control("request-url", {"url": url})
        if self.socket_mode:
            eventually(
                lambda: "Socket Mode is connected" in self.podcap.log("bot"), what=lambda: "Socket Mode"
            )

    def stop(self) -> None:
        """Ends everything that `start` started; Slack lives on, and no fault waits there for the next."""
        self.podcap.stop()
        self.redis.stop()
        self.forget_faults()

    def forget_faults(self) -> None:
        """Lets Slack work again."""
        url = f"{self.slack['control_url']}/faults"
        with urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=HANGS):
            pass

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Asks the Slack stand-in's control."""
        url = f"{self.slack['control_url']}/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=HANGS) as answer:
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
        self._whispered[user] = len(self.whispers(user))
        answer = self.control("command", {"user": user, "channel": channel, "text": text, **options})
        body = answer["ack_body"]
        said = body.get("text", "") if isinstance(body, dict) else body or ""
        accepted = re.match(r"Capture `(cap-\w+)`", said)
        self.capture = accepted[1] if accepted else ""
        return Answer(answer["ack_status"], said)

    def thread(self, channel: str = "incidents") -> str:
        """The latest thread of a channel, as a person reads it."""
        return str(self.control(f"thread?channel={channel}"))

    def whispers(self, user: str = "alice") -> str:
        """Everything that only this person was shown."""
        return str(self.control(f"ephemeral?user={user}"))

    def pod(self) -> str:
        """The name of one of the pods that serve cheese."""
        return str(self.lab.pods("task=cheddar")[0]["metadata"]["name"])

    def click(self, action_id: str, *, user: str, channel: str = "incidents") -> None:
        """Presses a button of the channel's latest message that has it."""
        self._whispered[user] = len(self.whispers(user))
        answer = self.control("click", {"user": user, "channel": channel, "action_id": action_id})
        assert answer["ack_status"] == 200, answer

    def http(self, path: str) -> int:
        """The status of a GET on the bot's own port."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Requests of every kind in the lab as long as the block runs."""
        process = subprocess.Popen(self.lab.command("traffic", "60"), stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def let_the_waiting_expire(self) -> None:
        """Moves the time at which waiting captures expire into the past."""
        with sqlite3.connect(self.folder / "podcap.db", timeout=HANGS) as ledger:
            ledger.execute("UPDATE captures SET expires_at = '2020-01-01 00:00:00' WHERE state = 'queued'")
        ledger.close()

    def file(self) -> Path:
        """The latest capture's file in Slack; Slack shares it a moment after it took it."""

        def shared() -> list[str]:
            files = self.control("state")["files"].values()
            return [file["path"] for file in files if Path(file["path"]).name.startswith(self.capture)]

        (path,) = eventually(shared, what=lambda: f"the file of {self.capture}")
        return Path(path)

    def wait_for_channel(self, words: str, channel: str) -> str:
        """Everything in a channel, once it holds these words."""

        def told() -> str:
            text = str(self.control(f"channel?channel={channel}"))
            return text if words in text else ""

        return str(eventually(told, what=lambda: f"{words!r} in #{channel}"))

    def wait_for_words(self, words: str, channel: str = "incidents") -> str:
        """The latest thread of a channel, once it holds these words."""

        def told() -> str:
            thread = self.thread(channel)
            return thread if words in thread and self.capture in thread else ""

        return str(eventually(told, what=lambda: f"{words!r} in\n{self.thread(channel)}"))

    def wait_for_end(self, channel: str = "incidents") -> str:
        """The latest thread of a channel, once its capture has ended well and everything is in it."""

        def ended() -> str:
            thread = self.thread(channel)
            if self.capture not in thread:
                return ""
            assert "❌" not in thread, f"{thread}\n{self.podcap.log('worker')}"
            assert ":x:" not in thread, f"{thread}\n{self.podcap.log('worker')}"
            plain = thread.replace("*", "").replace("`", "")
            return thread if "Done:" in plain and f"{self.capture} is over" in plain else ""

        return str(eventually(ended, what=lambda: f"the end of\n{self.thread(channel)}"))

    def wait_for_whisper(self, words: str, user: str = "alice") -> str:
        """What only this person was shown since they last typed or pressed, once it holds these words."""

        def whispered() -> str:
            said = self.whispers(user)[self._whispered.get(user, 0) :]
            return said if words in said else ""

        return str(eventually(whispered, what=lambda: f"{words!r} in {self.whispers(user)}"))

    def pod_requests(self) -> int:
        """How many pods podcap has asked the cluster to create."""
        lines = (self.lab.directory / "requests.jsonl").read_text().splitlines()
        return sum(
            (entry["verb"], entry["resource"], entry["namespace"]) == ("create", "pods", "podcap")
            for entry in map(json.loads, lines)
        )

    def leftovers(self) -> list[str]:
        """What podcap left in its temporary folder, besides the credentials that the kubernetes client keeps
        there as long as its process runs."""
        return [str(path) for path in (self.folder / "tmp").glob("podcap*")]

    def wait_for_no_leftovers(self) -> None:
        """Until the working folder is gone: a worker removes it after its last word in the thread."""
        eventually(lambda: not self.leftovers(), what=lambda: f"the end of {self.leftovers()}")

    def agent_pods(self) -> str:
        """The names of all agent pods, whatever their state."""
        return self.lab.kubectl("get", "pods", "-n", "podcap", "-o", "name").strip()

    def _is_ready(self) -> bool:
        for name, process in self.podcap.processes.items():
            assert process.poll() is None, f"{name} ended: {self.podcap.log(name)}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def make_world(lab: LabHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., World]]:
    """Starts a podcap with the options of `World`; it ends with the file's last test."""
    with ExitStack() as stack:

        def make(**options: Any) -> World:
            world = World(lab, tmp_path_factory.mktemp("podcap"), **options)
            stack.callback(world.stop)
            world.start()
            return world

        yield make


@pytest.fixture(scope="module")
def world(make_world: Callable[..., World]) -> World:
    """podcap over HTTP, for the tests of one file."""
    return make_world()


@pytest.fixture
def world_of() -> Callable[..., World]:
    """Makes a world whose processes nobody starts."""
    return World
