"""Makes the images of the table in a folder: each a root filesystem and what to run in it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from deploy.lab.images.certificate import self_signed
from deploy.lab.images.recipes import RECIPES, Recipe

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = ("dev", "etc", "proc", "run", "srv", "sys", "tmp", "usr/bin", "usr/lib", "var/tmp")
_USERS = """\
root:x:0:0:root:/root:/bin/sh
tcpdump:x:100:100::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = "root:x:0:\ntcpdump:x:100:\nnogroup:x:65534:\n"
_MODULES = (
    *("argparse", "base64", "collections.abc", "contextlib", "dataclasses", "email.utils", "email.parser"),
    *("encodings.ascii", "encodings.idna", "encodings.latin_1", "hashlib", "http.client", "http.server"),
    *("itertools", "json", "random", "runpy", "selectors", "signal", "socket", "ssl", "struct", "subprocess"),
    *("tempfile", "threading", "traceback", "typing", "urllib.request"),
)
"""What a lab program may import; what these import comes along."""

_ELF = b"\x7fELF"


class MissingProgram(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """A program or Debian package that an image needs is not installed on this machine."""


def build_all(folder: Path) -> None:
    """Makes every image of the table below a folder that must not exist.

    Raises:
        MissingProgram: Something is not installed.
    """
    for name, recipe in RECIPES.items():
        build(name, recipe, folder / folder_name(name))


def folder_name(image: str) -> str:
    """The name of an image's folder: `cheddar:lab` -> `cheddar_lab`."""
    return image.replace(":", "_")


def build(name: str, recipe: Recipe, folder: Path) -> None:
    """Makes one image: `rootfs/` and `image.json` with its name, id, command, environment and size.

    Raises:
        MissingProgram: Something is not installed.
    """
    root = folder / "rootfs"
    _skeleton(root)
    for source in _sources(recipe):
        _copy(source, root)
    if recipe.python:
        _copy_python(root)
    for path, file in recipe.files.items():
        shutil.copyfile(file, root / path.lstrip("/"))
    for path, target in recipe.links.items():
        (root / path.lstrip("/")).symlink_to(target)
    if name == "tls:lab":
        certificate, key = self_signed("tls.traefik.svc.cluster.local")
        (root / "srv/tls.crt").write_bytes(certificate)
        (root / "srv/tls.key").write_bytes(key)
    _copy_libraries(root)
    identity, size = _identity(root)
    image = {
        "name": name,
        "id": f"sha256:{identity}",
        "command": list(recipe.command),
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "sizeBytes": size,
    }
    (folder / "image.json").write_text(json.dumps(image, indent=1))


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


def _sources(recipe: Recipe) -> Iterator[Path]:
    for program in recipe.programs:
        yield _program(program)
    for package in recipe.packages:
        yield from _package(package)
    if "ip" in recipe.programs:  # the names of protocols, tables and scopes
        for folder in ("/etc/iproute2", "/usr/share/iproute2"):
            yield from (path for path in Path(folder).rglob("*") if path.is_file())


def _program(name: str) -> Path:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise MissingProgram(f"the program {name} is not installed on this machine, and a lab image needs it")
    return Path(found)


def _package(name: str) -> Iterator[Path]:
    listing = subprocess.run(["dpkg", "-L", name], capture_output=True, text=True, check=False)
    if listing.returncode:
        raise MissingProgram(f"the Debian package {name} is not installed, and a lab image needs it")
    for line in listing.stdout.splitlines():
        path = Path(line)
        if path.is_file() and not line.startswith("/usr/share/"):
            yield path


def _copy(source: Path, root: Path, name: Path | None = None) -> None:
    """Copies a file to where it is on this machine, or to `name`, behind every symbolic link on the way."""
    path = name or source
    target = root / str(path.parent.resolve() / path.name).lstrip("/")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _copy_python(root: Path) -> None:
    """Python where it is on this machine, because it finds its library from there; `python3` leads to it."""
    interpreter = Path(sys.executable).resolve()
    _copy(interpreter, root)
    if interpreter != Path("/usr/bin/python3"):
        (root / "usr/bin/python3").symlink_to(interpreter)
    for path in _module_files():
        _copy(path, root)


@cache
def _module_files() -> tuple[Path, ...]:
    """The files a fresh interpreter has loaded after importing the modules, compiled ones included."""
    program = (
        "import sys, " + ", ".join(_MODULES) + "\n"
        "for module in list(sys.modules.values()):\n"
        "    for name in ('__file__', '__cached__'):\n"
        "        print(getattr(module, name, None) or '')\n"
        "import os; print(os.__file__)"
    )
    listing = subprocess.run(
        [str(Path(sys.executable).resolve()), "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(Path(line) for line in set(listing.split("\n")) if line and Path(line).is_file())


def _copy_libraries(root: Path) -> None:
    binaries = [path for path in _regular_files(root) if _is_elf(path)]
    with ThreadPoolExecutor() as pool:
        needed = {library for libraries in pool.map(_libraries, binaries) for library in libraries}
    for library in sorted(needed):
        _copy(library.resolve(), root, name=library)


@cache
def _libraries(binary: Path) -> tuple[Path, ...]:
    """What the dynamic loader would load for it, and the loader itself (ld.so(8))."""
    listing = subprocess.run(
        [_loader(), "--list", str(binary)], capture_output=True, text=True, check=False
    ).stdout
    words = [line.split(" => ")[-1].split() for line in listing.splitlines()]
    return tuple(Path(line[0]) for line in words if line and line[0].startswith("/"))


@cache
def _loader() -> str:
    """The dynamic loader of this machine's programs."""
    for pattern in ("lib64/ld-linux-*.so.?", "lib/ld-linux-*.so.?", "lib/ld-*.so.?"):
        for path in Path("/").glob(pattern):
            return str(path)
    raise MissingProgram("the dynamic loader of this machine was not found where glibc puts it")


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def _regular_files(root: Path) -> Iterable[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _identity(root: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    for path in _regular_files(root):
        length = path.stat().st_size
        digest.update(f"{path.relative_to(root)} {length}\n".encode())
        size += length
    return digest.hexdigest(), size
