"""Makes the images of the table in a folder: each a root filesystem and what to run in it."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.lab.images.certificate import self_signed
from deploy.lab.images.contents import contents, interpreter
from deploy.lab.images.recipes import RECIPES, Recipe

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = ("dev", "etc", "proc", "run", "srv", "sys", "tmp", "usr/bin", "usr/lib", "var/tmp")
_USERS = """\
root:x:0:0:root:/root:/bin/sh
tcpdump:x:100:100::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = "root:x:0:\ntcpdump:x:100:\nnogroup:x:65534:\n"
_ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def build_all(folder: Path) -> None:
    """Makes every image of the table below a folder that must not exist.

    Raises:
        MissingProgram: Something is not installed.
    """
    copies: dict[Path, Path] = {}
    for name, recipe in RECIPES.items():
        build(name, recipe, folder / folder_name(name), copies)


def folder_name(image: str) -> str:
    """The name of an image's folder: `cheddar:lab` -> `cheddar_lab`."""
    return image.replace(":", "_")


def build(name: str, recipe: Recipe, folder: Path, copies: dict[Path, Path]) -> None:
    """Makes one image: `rootfs/` and `image.json` with its name, id, command, environment and size.

    Args:
        name: The image's, with its tag.
        recipe: What is in it.
        folder: Where; it must not exist.
        copies: File of this machine -> its copy in an image made before: linked then, not copied again.

    Raises:
        MissingProgram: Something is not installed.
    """
    root = folder / "rootfs"
    _skeleton(root)
    files = contents(recipe)
    for path, source in files.items():
        _place(source, root / str(path).lstrip("/"), copies)
    for inside, file in recipe.files.items():
        shutil.copyfile(file, root / inside.lstrip("/"))
    for inside, target in recipe.links.items():
        (root / inside.lstrip("/")).symlink_to(target)
    if recipe.python and not (root / "usr/bin/python3").exists():
        (root / "usr/bin/python3").symlink_to(interpreter())
    if name == "tls:lab":
        certificate, key = self_signed("tls.traefik.svc.cluster.local")
        (root / "srv/tls.crt").write_bytes(certificate)
        (root / "srv/tls.key").write_bytes(key)
    _describe(name, recipe, folder, files)


def _skeleton(root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir(parents=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name in _MERGED:
        (root / "usr" / name).mkdir(exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/passwd").write_text(_USERS)
    (root / "etc/group").write_text(_GROUPS)
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def _place(source: Path, target: Path, copies: dict[Path, Path]) -> None:
    """Copies a file with its time, by which Python knows whether a compiled module is still good."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source in copies:
        target.hardlink_to(copies[source])
        return
    shutil.copyfile(source, target)
    times = source.stat()
    target.chmod(0o755 if times.st_mode & 0o111 else 0o644)
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    copies[source] = target


def _describe(name: str, recipe: Recipe, folder: Path, files: Mapping[Path, Path]) -> None:
    sizes = {str(path): source.stat().st_size for path, source in files.items()}
    identity = hashlib.sha256(json.dumps([name, sorted(sizes.items())]).encode()).hexdigest()
    image = {
        "name": name,
        "id": f"sha256:{identity}",
        "command": list(recipe.command),
        "env": _ENV,
        "sizeBytes": sum(sizes.values()),
    }
    (folder / "image.json").write_text(json.dumps(image, indent=1))
