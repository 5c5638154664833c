"""The lab's own servers: the API server and the Slack stand-in, each a process in a cgroup of its own."""

import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.lab.cgroups import Tree
from deploy.lab.places import Places

_PROJECT = Path(__file__).parents[2]
_START_SECONDS = 30.0


class ServiceFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """A server of the lab ended, or did not become ready."""


@dataclass(frozen=True)
class Service:
    """A server of the lab.

    Attributes:
        name: Its module below deploy.lab, its cgroup and its log.
        ready: The file it writes into the state folder when it is ready.
    """

    name: str
    ready: str

    @property
    def module(self) -> str:
        """What Python runs."""
        return f"deploy.lab.{self.name}"

    def exists(self) -> bool:
        """Whether it can be started."""
        return find_spec(self.module) is not None and find_spec(f"{self.module}.__main__") is not None

    def start(self, places: Places, tree: Tree) -> "subprocess.Popen[bytes]":
        """Starts it; it becomes ready some moments later."""
        (places.state / self.ready).unlink(missing_ok=True)
        tree.make(self.name)
        with (places.logs / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                tree.inside(self.name, [sys.executable, "-m", self.module, "--dir", str(places.state)]),
                cwd=_PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, places: Places, process: "subprocess.Popen[bytes]") -> None:
        """Waits until it is ready.

        Raises:
            ServiceFailed: It ended, or takes too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not (places.state / self.ready).exists():
            if process.poll() is not None or time.monotonic() > deadline:
                log = places.logs / f"{self.name}.log"
                last = (log.read_text().strip().splitlines() or ["it said nothing"])[-1]
                raise ServiceFailed(f"the lab's {self.name} is not ready: {last} (see {log})")
            time.sleep(0.02)


SERVICES = (Service("apiserver", "kubeconfig"), Service("slack", "slack.json"))


def restart(places: Places, name: str) -> None:
    """Kills a server where it runs, starts it, and waits until it is ready.

    Raises:
        KeyError: There is none of that name.
        ServiceFailed: It ended, or takes too long.
    """
    service = {one.name: one for one in SERVICES}[name]
    tree = Tree(places.cgroup)
    tree.kill(name)
    service.wait(places, service.start(places, tree))
