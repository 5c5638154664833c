"""A podcap of real processes under fire: asking it for captures, making Slack and the cluster wait."""

import json
import re
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import psycopg

from deploy.lab.handle import LabHandle
from deploy.lab.postgresql import PostgreSQLServer
from tests.hangs import HANGS
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger

POLICY = """\
rules:
  - users: [fran@example.com]
    namespaces: [traefik]
    approval: ["@security"]
    payload: true
  - users: ["@oncall"]
    namespaces: [traefik]
    payload: true
"""
"""Fran needs Bob's approval; Dora and Alice need nobody's."""

SETTINGS = {f"PODCAP_CAPTURES_PER_{one}": "50" for one in ("USER", "CHANNEL", "NODE", "CLUSTER")}

CHANNEL = "incidents"
NODE = "k8s-node03"
PINGS_A_SECOND = 20
_FOREVER = 600

_STANDING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND state LIKE 'idle in transaction%' AND state_change < now() - interval '0.2 s'"""
_AT_SLACK = threading.Lock()


def eventually(question: Callable[[], Any], what: Callable[[], object]) -> Any:
    """The first answer that is true.

    Raises:
        AssertionError: It did not come for so long that it hangs.
    """
    deadline = time.monotonic() + HANGS
    while not (answer := question()):
        assert time.monotonic() < deadline, f"waited {HANGS} s in vain: {what()}"
        time.sleep(0.1)
    return answer


@contextmanager
def pinged_pod(lab: LabHandle, name: str) -> Iterator[tuple[str, str]]:
    """A pod that gets numbered pings all the time: its name and address."""
    with lab.pod(name, {"command": ["sleep", "7200"]}, namespace="traefik", nodeName=NODE) as pod:
        address = pod["status"]["podIP"]
        ping = lab.command("node", NODE, "ping", "-q", "-i", str(1 / PINGS_A_SECOND), address)
        with subprocess.Popen(ping, stdout=subprocess.DEVNULL) as process:
            try:
                yield pod["metadata"]["name"], address
            finally:
                process.terminate()


@dataclass
class Scene:
    """A world, what it runs on, and the pod that its captures are of.

    Attributes:
        name: Its own; the cluster knows it as a user of that name.
        postgresql: The server of its database; None on SQLite.
        killed: The ids of the processes that were killed; each led a session of its own.
    """

    name: str
    world: Any
    ledger: Ledger
    pod: str
    address: str
    postgresql: PostgreSQLServer | None = None
    killed: set[int] = field(default_factory=set)

    @property
    def lab(self) -> LabHandle:
        """The cluster, and Slack."""
        lab: LabHandle = self.world.lab
        return lab

    def ask(self, seconds: int, *, user: str = "alice") -> str:
        """Asks for a capture of whole packets; its id. Several scenes may share one Slack."""
        text = f"traefik/{self.pod} {seconds}s full icmp"
        with _AT_SLACK:
            self.listen()
            answer = self.world.command(text, user=user, channel=CHANNEL)
            assert answer.status == HTTPStatus.OK, (answer, self.world.podcap.log("bot"))
            found = re.search(r"cap-\w+", answer.text)
            assert found is not None, answer
            return found[0]

    def click(self, action_id: str, capture: Capture, *, user: str) -> None:
        """Presses a button of the capture's message."""
        with _AT_SLACK:
            self.listen()
            body = {"user": user, "channel": CHANNEL, "action_id": action_id, "ts": capture.message_ts}
            answer = self.world.control("click", body)
        assert answer["ack_status"] == HTTPStatus.OK, answer

    def listen(self) -> None:
        """Lets Slack send to this scene's bot."""
        self.world.control("request-url", {"url": f"http://127.0.0.1:{self.world.port}/slack/events"})

    def hears(self) -> bool:
        """Whether the bot answers."""
        try:
            return bool(self.world.http("/readyz") == HTTPStatus.OK)
        except OSError:
            return False

    def takes_writes(self) -> bool:
        """Whether nobody stands still within a transaction."""
        if self.postgresql is None:
            with closing(sqlite3.connect(self.world.folder / "podcap.db", timeout=0.3)) as ledger:
                try:
                    ledger.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    return False
                return True
        with psycopg.connect(self.world.environment["PODCAP_DATABASE_URL"], autocommit=True) as connection:
            time.sleep(0.3)
            return connection.execute(_STANDING).fetchone() == (0,)

    def fault_in_slack(self, method: str, kind: str, containing: str, *, times: int = 1) -> None:
        """Lets a method fail for calls that have this text."""
        fault = {"method": method, "kind": kind, "containing": containing}
        self.world.control("faults", fault | {"times": times, "seconds": _FOREVER})

    def hold_in_slack(self, method: str, containing: str) -> None:
        """Lets Slack not answer calls that have this text, until `release`."""
        self.fault_in_slack(method, "hang", containing, times=1000)

    def fault_in_cluster(self, match: dict[str, str], *, times: int = 1, **fault: Any) -> None:
        """Lets the scene's requests that match fail."""
        raw = json.dumps({"match": match | {"user": self.name}, "times": times, **fault})
        self.lab.kubectl("create", "--raw", "/_lab/faults", "-f", "-", text=raw)

    def hold_in_cluster(self, times: int = 1000, **match: str) -> None:
        """Lets the cluster not answer the scene's requests that match, until `release`."""
        self.fault_in_cluster(match, times=times, delay_seconds=_FOREVER)

    def person(self, name: str) -> str:
        """The id of somebody in Slack."""
        return str(self.world.control("state")["users"][name])

    def posted(self, what: str, id_: str) -> list[dict[str, Any]]:
        """The capture's messages that are this: `message` for its own, `summary`."""
        return [one for one in self.messages() if posted_as(one) == (id_, what)]

    def messages(self) -> list[dict[str, Any]]:
        """All messages of the channel."""
        found: list[dict[str, Any]] = self.world.control("state")["messages"].get(CHANNEL, [])
        return found


def release(scene: Scene) -> None:
    """Lets everything go that was held, in all scenes of its lab."""
    scene.lab.kubectl("delete", "--raw", "/_lab/faults")
    url = f"{scene.world.slack['control_url']}/faults"
    with urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=HANGS):
        pass


def posted_as(message: dict[str, Any]) -> tuple[str, str] | None:
    """Of which capture a message is, and what of it."""
    payload = message.get("metadata", {}).get("event_payload")
    return (payload["capture"], payload["what"]) if payload else None
