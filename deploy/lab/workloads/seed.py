"""Writes what the cluster starts with."""

import json
from pathlib import Path
from typing import Any

from deploy.lab.workloads.nodes import nodes
from deploy.lab.workloads.pods import cheddar, pods
from deploy.lab.workloads.services import services

_PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}


def write(folder: Path) -> None:
    """Writes `lab.json`, a Kubernetes List, in the order in which the objects need one another."""
    objects = [*_namespaces(), *nodes(), *services(), *cheddar(), *pods()]
    folder.mkdir(parents=True)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1)
    (folder / "lab.json").write_text(text)


def _namespaces() -> list[dict[str, Any]]:
    """traefik, and podcap for the agent pods, which share their nodes' network."""
    labels: dict[str, dict[str, str]] = {"traefik": {}, "podcap": _PRIVILEGED}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": some}}
        for name, some in labels.items()
    ]
