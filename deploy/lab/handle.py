"""A running lab in the hands of a program: tests, demonstrations, measurements."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.lab.cgroups import Tree
from deploy.lab.cluster import kubectl_command
from deploy.lab.places import Places
from deploy.lab.truth import Truth, truth

_PROJECT = Path(__file__).parents[2]
_WAIT_SECONDS = 120.0
_STEP_SECONDS = 0.1
_COMMAND_SECONDS = 120.0


class CommandFailed(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """A command ended with an exit code other than 0, or not in time; the text has what it printed."""


class LabHandle:
    """A lab by its folder.

    Attributes:
        directory: The folder.
        places: Where it keeps what.
        command_seconds: How long a command may take; far more than any needs, so that one that waits for
            something that never comes is named.
    """

    def __init__(self, directory: Path, command_seconds: float = _COMMAND_SECONDS) -> None:
        self.directory = directory
        self.command_seconds = command_seconds
        self.places = Places.of(directory)

    def up(self) -> str:
        """Starts it; what the command line says."""
        return self.run("up")

    def down(self) -> str:
        """Ends it; what the command line says."""
        return self.run("down")

    def kill(self, server: str) -> None:
        """Kills `apiserver` or `slack`, without a word to it."""
        Tree(self.places.cgroup).kill(server)

    def restart(self, server: str) -> None:
        """Starts `apiserver` or `slack` again, killed or not.

        Raises:
            CommandFailed: It does not become ready.
        """
        self.run("restart", server)

    def command(self, *arguments: str) -> list[str]:
        """The command line of `python -m deploy.lab` for this lab."""
        return [sys.executable, "-m", "deploy.lab", "--dir", str(self.directory), *arguments]

    def run(self, *arguments: str) -> str:
        """What `python -m deploy.lab` prints.

        Raises:
            CommandFailed: It failed.
        """
        return self._output(self.command(*arguments))

    def node(self, name: str, *argv: str) -> str:
        """What a command in a node's namespaces prints.

        Raises:
            CommandFailed: It failed.
        """
        return self.run("node", name, *argv)

    def client(self, *argv: str) -> str:
        """What a command at the LAN's client prints.

        Raises:
            CommandFailed: It failed.
        """
        return self.run("client", *argv)

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """What kubectl prints, run as the lab's administrator; `text` is its standard input.

        Raises:
            CommandFailed: It failed.
        """
        return self._output(kubectl_command(self.places, *arguments), text)

    def get(self, kind: str, name: str, namespace: str = "traefik") -> dict[str, Any]:
        """An object of the cluster.

        Raises:
            CommandFailed: There is none.
        """
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return found

    def truth(self, pod: Mapping[str, Any]) -> Truth:
        """Which interface is a pod's, told from outside.

        Raises:
            LookupError: It does not run, or has no network of its own.
            RuntimeError: What one direction says the other denies.
        """
        return truth(self.places, pod)

    def pods(self, selector: str = "", namespace: str = "traefik") -> list[dict[str, Any]]:
        """The pods of a namespace with these labels."""
        answer = json.loads(self.kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "json"))
        found: list[dict[str, Any]] = answer["items"]
        return found

    def exec(self, pod: str, *argv: str, namespace: str = "traefik") -> str:
        """What a command in a pod prints.

        Raises:
            CommandFailed: It failed.
        """
        return self.kubectl("exec", "-n", namespace, pod, "--", *argv)

    def wait_for(
        self, pod: str, condition: Callable[[Mapping[str, Any]], bool], namespace: str = "traefik"
    ) -> dict[str, Any]:
        """The pod, once it is as wanted.

        Raises:
            TimeoutError: It is not within two minutes; the text has its status.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while not condition(found := self.get("pod", pod, namespace)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"pod {pod} is not as wanted: {json.dumps(found['status'], indent=1)}")
            time.sleep(_STEP_SECONDS)
        return found

    def delete_pod(self, name: str, namespace: str = "traefik") -> None:
        """Deletes a pod and waits until nothing of it is left; one that is gone already is no error.

        Raises:
            TimeoutError: It is still there after two minutes.
        """
        self.kubectl("delete", "pod", name, "-n", namespace, "--ignore-not-found", "--wait=false")
        deadline = time.monotonic() + _WAIT_SECONDS
        while self.kubectl("get", "pod", name, "-n", namespace, "--ignore-not-found"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"pod {name} is still there two minutes after it was deleted")
            time.sleep(_STEP_SECONDS)

    @contextmanager
    def pod(
        self,
        name: str,
        container: Mapping[str, Any],
        *,
        phase: str = "Running",
        namespace: str = "podcap",
        **spec: Any,
    ) -> Iterator[dict[str, Any]]:
        """A pod of one's own, once it is in a phase; deleted at the end.

        Args:
            name: Its name.
            container: Merged into a container `main` that sleeps in the agent image.
            phase: The one waited for.
            namespace: Where.
            spec: More fields of the pod's spec; it runs on the first node unless they say otherwise.

        Raises:
            CommandFailed: The API server refused it.
            TimeoutError: It does not come into that phase.
        """
        sleeping = {"name": "main", "image": "podcap-agent:lab", "command": ["sleep", "600"]}
        base = {"nodeName": "k8s-node01", "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": base | spec | {"containers": [sleeping | dict(container)]},
        }
        self.kubectl("create", "-f", "-", text=json.dumps(pod))
        try:
            yield self.wait_for(name, lambda one: one["status"].get("phase") == phase, namespace)
        finally:
            self.delete_pod(name, namespace)

    def _output(self, argv: list[str], text: str | None = None) -> str:
        words, seconds = " ".join(argv), self.command_seconds
        try:
            done = subprocess.run(
                argv, cwd=_PROJECT, input=text, capture_output=True, text=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired as late:
            # What came until then is bytes, even of a command whose output is text.
            printed = b"".join(part for part in (late.stdout, late.stderr) if part).decode(errors="replace")
            raise CommandFailed(
                f"{words} was killed: it had not ended in {seconds:g} s:\n{printed}"
            ) from None
        if done.returncode:
            raise CommandFailed(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
