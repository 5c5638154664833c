"""A pod's emptyDir volumes on the node's disk or in memory, and how full they are."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.lab.kubelet.oci import Bind
from deploy.lab.kubelet.quantities import parse_bytes

_BLOCK = 512
"""st_blocks counts these, whatever the file system's own blocks are (stat(2))."""


class Volumes:
    """The volumes of one pod.

    Args:
        spec: The pod's.
        folder: The pod's own on the node's disk.
    """

    def __init__(self, spec: Mapping[str, Any], folder: Path) -> None:
        self._spec = spec
        self._folder = folder

    def make(self) -> None:
        """Makes every volume, empty."""
        group = (self._spec.get("securityContext") or {}).get("fsGroup")
        for volume in self._spec.get("volumes") or ():
            path = self._path(volume["name"])
            path.mkdir(parents=True)
            if (volume.get("emptyDir") or {}).get("medium") == "Memory":
                limit = volume["emptyDir"].get("sizeLimit")
                options = f"size={parse_bytes(limit)}" if limit else "size=50%"
                subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
            path.chmod(0o777)
            if group is not None:
                os.chown(path, -1, int(group))
                path.chmod(0o2777)

    def binds(self, container: Mapping[str, Any]) -> list[Bind]:
        """What a container mounts of them.

        A `projected` volume, in which a cluster puts the service account's token, is empty: from a pod of the
        lab no way leads to the API server.
        """
        return [
            Bind(
                str(self._path(mount["name"]) / mount.get("subPath", "")),
                mount["mountPath"],
                read_only=bool(mount.get("readOnly")),
            )
            for mount in container.get("volumeMounts") or ()
        ]

    def exceeded(self) -> tuple[str, str] | None:
        """The first volume that holds more than its limit: its name and the limit as it was written."""
        for volume in self._spec.get("volumes") or ():
            limit = (volume.get("emptyDir") or {}).get("sizeLimit")
            if limit and used_bytes(self._path(volume["name"])) > parse_bytes(limit):
                return volume["name"], str(limit)
        return None

    def limited(self) -> bool:
        """Whether any has a limit."""
        return any(
            (volume.get("emptyDir") or {}).get("sizeLimit") for volume in self._spec.get("volumes") or ()
        )

    def remove(self) -> None:
        """Removes every volume with what is in it."""
        for volume in self._spec.get("volumes") or ():
            path = self._path(volume["name"])
            if path.is_mount():
                subprocess.run(["umount", "--lazy", str(path)], check=True)
        shutil.rmtree(self._folder / "volumes", ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self._folder / "volumes" / name


def used_bytes(folder: Path) -> int:
    """The disk space that the files below a folder take, in bytes; a file with several names counts once."""
    return sum({status.st_ino: status.st_blocks for status in _below(folder)}.values()) * _BLOCK


def _below(folder: Path) -> Iterator[os.stat_result]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # gone since
        return
    for entry in entries:
        try:
            yield entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path))
