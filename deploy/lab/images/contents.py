"""Which files of this machine an image consists of: programs, packages, Python, and their libraries."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from deploy.lab.images.recipes import Recipe

_MODULES = (
    *("argparse", "base64", "collections.abc", "contextlib", "dataclasses", "email.utils", "email.parser"),
    *("encodings.ascii", "encodings.idna", "encodings.latin_1", "hashlib", "http.client", "http.server"),
    *("itertools", "json", "os", "random", "runpy", "selectors", "signal", "site", "socket", "ssl", "struct"),
    *("subprocess", "tempfile", "threading", "traceback", "typing", "urllib.request"),
)
"""What a lab program may import; what these import comes along."""

_PROFILED = ("tcpdump", "dnsmasq")
_UNCONFINED = Path("/usr/local/bin")
"""Debian and Ubuntu confine these by AppArmor profiles that attach to their paths, in containers, too. In a
cluster a container's own profile prevents that; here they are on the PATH at a place no profile names."""

_ELF = b"\x7fELF"


class MissingProgram(RuntimeError):  # noqa: N818 - it reads as the sentence it carries
    """A program or Debian package that an image needs is not installed on this machine."""


def contents(recipe: Recipe) -> dict[Path, Path]:
    """Where a file belongs -> the file with those bytes; both are paths of this machine, the latter no link.

    Raises:
        MissingProgram: Something is not installed.
    """
    files = {_place(path): path.resolve() for path in _sources(recipe)}
    with ThreadPoolExecutor() as pool:
        for libraries in pool.map(_libraries, filter(_is_elf, files.values())):
            files |= {_place(path): path.resolve() for path in libraries}
    return files


def interpreter() -> Path:
    """The Python that runs this, behind every symbolic link."""
    return Path(sys.executable).resolve()


def _sources(recipe: Recipe) -> Iterator[Path]:
    for program in recipe.programs:
        yield _program(program)
    for package in recipe.packages:
        yield from _package(package)
    if recipe.python:
        yield interpreter()
        yield from _module_files()
    if "ip" in recipe.programs:  # the names of protocols, tables and scopes
        for folder in ("/etc/iproute2", "/usr/share/iproute2"):
            yield from (path for path in Path(folder).rglob("*") if path.is_file())


def _place(path: Path) -> Path:
    """The path with all links followed but the last part's: /lib/libc.so.6 -> /usr/lib/libc.so.6."""
    return _UNCONFINED / path.name if path.name in _PROFILED else path.parent.resolve() / path.name


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


@cache
def _module_files() -> tuple[Path, ...]:
    """The files a fresh interpreter has loaded after importing the modules, compiled ones included."""
    program = (
        f"import sys, {', '.join(_MODULES)}\n"
        "for module in list(sys.modules.values()):\n"
        "    for name in ('__file__', '__cached__'):\n"
        "        print(getattr(module, name, None) or '')\n"
    )
    listing = subprocess.run(
        [str(interpreter()), "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    ).stdout
    return tuple(Path(line) for line in sorted(set(listing.split("\n"))) if line and Path(line).is_file())


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
    patterns: Iterable[str] = ("lib64/ld-linux-*.so.?", "lib/ld-linux-*.so.?", "lib/ld-*.so.?")
    for pattern in patterns:
        for path in Path("/").glob(pattern):
            return str(path)
    raise MissingProgram("the dynamic loader of this machine was not found where glibc puts it")


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
