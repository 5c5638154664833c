"""podcap's main job in the lab, from a slash command to a capture file in the thread: `make demo`."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from deploy.lab.procfile import ROOT, Procfile
from deploy.lab.redis import RedisServer, free_port

LAB = ROOT / "var/lab"
_POLICY = """\
rules:
  - channels: [incidents]
    users: ["@oncall"]
    namespaces: [traefik]
    max_duration: 10m
    payload: true
"""


class DemoError(Exception):
    """The demo did not come to its end; the message says what was missing."""


def main() -> int:
    """Runs the demo; 0 when the file came and holds what it should, else 1."""
    try:
        with ExitStack() as stack:
            thread, file = _run(stack)
            _check(thread, file)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"\n{thread}\npcap: {file}")
    return 0


def _run(stack: ExitStack) -> tuple[str, Path]:
    """The thread as a person reads it, and the file that Slack got."""
    _say("Starting the lab: three nodes, their pods, an API server and a Slack, all on this machine")
    _lab("up")
    stack.callback(_lab, "down")
    slack = json.loads((LAB / "slack.json").read_text())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="podcap-demo-")))
    redis = stack.enter_context(RedisServer(folder / "redis"))
    _say("Starting podcap from its Procfile: bot, worker, beat")
    port = free_port()
    podcap = stack.enter_context(Procfile(environment(slack, redis, folder, port), folder / "logs"))
    podcap.start()
    _wait_until_ready(podcap, port)
    control = slack["control_url"]
    _post(f"{control}/request-url", {"url": f"http://127.0.0.1:{port}/slack/events"})
    pod = _first_pod()
    _say("Letting the client at 192.168.1.35 ask for cheese")
    traffic = subprocess.Popen(
        [sys.executable, "-m", "deploy.lab", "traffic", "20"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    stack.callback(traffic.wait)
    text = f"traefik/{pod} 8s full port 80"
    _say(f"alice types in #incidents: /podcap {text}")
    answer = _post(f"{control}/command", {"user": "alice", "channel": "incidents", "text": text})
    if answer.get("ack_status") != 200:  # noqa: PLR2004, HTTP's OK
        raise DemoError(f"the bot did not take the command: {answer}")
    file = _wait_for_the_file(podcap, control)
    kept = ROOT / "var/demo" / file.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(file.read_bytes())
    return _get(f"{control}/thread?channel=incidents").decode(), kept


def _check(thread: str, file: Path) -> None:
    """Holds file and thread to what tshark reads in the file."""
    _say("Checking the file with tshark")
    ports = _tshark(file, "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport")
    there = [line for line in ports if line.endswith("\t80")]
    back = [line for line in ports if line.startswith("80\t")]
    if not there or not back or len(there) + len(back) != len(ports):
        raise DemoError(f"{file} should hold port 80 in both directions and nothing else")
    flows = sum("<->" in line for line in _tshark(file, "-q", "-z", "conv,tcp"))
    if f"{flows} flow{'' if flows == 1 else 's'}, the busiest first" not in thread:
        raise DemoError(f"tshark counts {flows} conversations, and the thread does not say so:\n{thread}")


def _tshark(file: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["tshark", "-n", "-r", file, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def environment(slack: dict[str, Any], redis: RedisServer, folder: Path, port: int) -> dict[str, str]:
    """The settings of podcap for this lab, in HTTP mode.

    Args:
        slack: What the Slack stand-in wrote into slack.json.
        redis: The broker.
        folder: Where database, store and policy go.
        port: The bot's port.
    """
    policy = folder / "policy.yaml"
    policy.write_text(_POLICY)
    return {
        "SLACK_BOT_TOKEN": slack["bot_token"],
        "SLACK_SIGNING_SECRET": slack["signing_secret"],
        "SLACK_API_URL": slack["api_url"],
        "PORT": str(port),
        "KUBECONFIG": str(LAB / "kubeconfig"),
        "PODCAP_BROKER_URL": redis.url,
        "PODCAP_DATABASE_URL": f"sqlite:///{folder}/podcap.db",
        "PODCAP_STORE_URL": str(folder / "captures"),
        "PODCAP_AGENT_IMAGE": "podcap-agent:lab",
        "PODCAP_POLICY": str(policy),
    }


def _lab(verb: str) -> None:
    done = subprocess.run([sys.executable, "-m", "deploy.lab", verb], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise DemoError(f"the lab could not go {verb}")


def _first_pod() -> str:
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "kubectl", "--kubeconfig", LAB / "kubeconfig", "get", "pods"),
            *("--namespace", "traefik", "--selector", "task=cheddar"),
            *("--output", "jsonpath={.items[0].metadata.name}"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _wait_until_ready(podcap: Procfile, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for name, process in podcap.processes.items():
            if process.poll() is not None:
                raise DemoError(f"{name} ended: {podcap.log(name)[-2000:]}")
        try:
            _get(f"http://127.0.0.1:{port}/readyz")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise DemoError(f"the bot is not ready: {podcap.log('bot')[-2000:]}")


def _wait_for_the_file(podcap: Procfile, control: str) -> Path:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        thread = _get(f"{control}/thread?channel=incidents").decode()
        state = json.loads(_get(f"{control}/state"))
        paths = [Path(file["path"]) for file in state["files"].values()]
        if "Done" in thread and (packets := [path for path in paths if path.suffix == ".pcapng"]):
            return packets[0]
        if ":x:" in thread or "❌" in thread:
            raise DemoError(f"the capture failed:\n{thread}\n{podcap.log('worker')[-4000:]}")
        time.sleep(0.5)
    logs = "\n".join(podcap.log(name)[-2000:] for name in ("bot", "worker"))
    raise DemoError(f"no file came into the thread within two minutes:\n{thread}\n{logs}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310, loopback
        return bytes(answer.read())


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310, loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310, loopback
        result: dict[str, Any] = json.loads(answer.read())
        return result


def _say(line: str) -> None:
    print(f"• {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
