"""The lab's cluster as a person sees it: through kubectl."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.lab.places import Places
from deploy.lab.plan import NODES
from deploy.lab.workloads.pods import READY


def kubectl(places: Places, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs kubectl as the lab's administrator; its exit code is the caller's to judge."""
    return subprocess.run(kubectl_command(places, *arguments), capture_output=True, text=True, check=False)


def kubectl_command(places: Places, *arguments: str) -> list[str]:
    """The command line of kubectl as the lab's administrator."""
    program = Path(sys.executable).with_name("kubectl")
    return [str(program), "--kubeconfig", str(places.kubeconfig), *arguments]


def pods(places: Places) -> list[dict[str, Any]]:
    """Every pod of the cluster.

    Raises:
        RuntimeError: The API server does not answer; the message has kubectl's words.
    """
    done = kubectl(places, "get", "pods", "--all-namespaces", "--output", "json")
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return items


def pod(places: Places, target: str) -> dict[str, Any]:
    """The pod of that NAMESPACE/NAME.

    Raises:
        RuntimeError: There is none, or the API server does not answer; the message has kubectl's words.
    """
    namespace, _, name = target.rpartition("/")
    done = kubectl(places, "get", "pod", name, "--namespace", namespace or "default", "--output", "json")
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def unready(items: list[dict[str, Any]]) -> list[str]:
    """What is still missing of the lab's own workloads, as names: pure."""
    ready = {_key(pod) for pod in items if is_ready(pod)}
    missing = [f"{namespace}/{name}" for namespace, name in READY if (namespace, name) not in ready]
    cheddars = sum(name.startswith("cheddar-") for _, name in ready)
    if cheddars < len(NODES):
        missing.append(f"traefik/cheddar ({cheddars} of {len(NODES)})")
    finished = any(_key(pod) == ("traefik", "finished") and phase(pod) == "Succeeded" for pod in items)
    return missing if finished else [*missing, "traefik/finished"]


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether a pod's condition Ready is true."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def phase(pod: dict[str, Any]) -> str:
    """A pod's phase."""
    return str(pod.get("status", {}).get("phase", "Unknown"))


def _key(pod: dict[str, Any]) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
