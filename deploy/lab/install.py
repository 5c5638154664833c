"""Puts what deploy/kustomize describes into a lab, and takes it away again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from deploy.lab.apiserver import kubeconfig
from deploy.lab.handle import LabHandle

KUSTOMIZE = Path(__file__).parents[1] / "kustomize"
AGENT_IMAGE = "podcap-agent:lab"
_KEPT = ("Namespace", "podcap")


def render(folder: Path) -> list[dict[str, Any]]:
    """The objects of a kustomization, as `kubectl kustomize` renders them.

    Raises:
        CalledProcessError: It cannot be rendered; kubectl's words are in `stderr`.
    """
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def variant(overlay: str, folder: Path, **fields: Any) -> Path:
    """Writes a kustomization into a folder that is an overlay with more fields; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    base = os.path.relpath((KUSTOMIZE / "overlays" / overlay).resolve(), folder.resolve())
    (folder / "kustomization.yaml").write_text(json.dumps({"resources": [base]} | fields))
    return folder


@contextmanager
def installed(lab: LabHandle, folder: Path) -> Iterator[Path]:
    """Applies the overlay socket-mode for as long as the block runs, with the lab's agent image.

    The lab's nodes cannot run podcap's own pods (their volumes and image are not theirs), so its Deployments
    have no replicas; the Procfile's processes take their place.

    Args:
        lab: The lab; its namespace podcap is as it was afterwards.
        folder: Where the kustomization is written.

    Yields:
        The kustomization's folder.
    """
    name, _, tag = AGENT_IMAGE.partition(":")
    none = [{"name": name, "count": 0} for name in ("bot", "worker", "beat")]
    images = [{"name": "podcap-agent", "newName": name, "newTag": tag}]
    chosen = variant("socket-mode", folder, replicas=none, images=images)
    before = lab.get("namespace", "podcap", "")["metadata"]["labels"]
    lab.kubectl("apply", "-k", str(chosen))
    try:
        yield chosen
    finally:
        objects = [one for one in render(chosen) if (one["kind"], one["metadata"]["name"]) != _KEPT]
        lab.kubectl("delete", "--ignore-not-found", "-f", "-", text=yaml.safe_dump_all(objects))
        _relabel(lab, before)


def _relabel(lab: LabHandle, before: dict[str, str]) -> None:
    now = lab.get("namespace", "podcap", "")["metadata"]["labels"]
    changes = [f"{key}={value}" for key, value in before.items()]
    changes += [f"{key}-" for key in now if key not in before]
    lab.kubectl("label", "--overwrite", "namespace", "podcap", *changes)


def account(lab: LabHandle, name: str, folder: Path) -> Path:
    """A kubeconfig of a service account of the namespace podcap."""
    path = folder / f"{name}.kubeconfig"
    kubeconfig.write(path, kubeconfig.request_token(lab.places.kubeconfig, "podcap", name))
    return path
