"""A root file system from Debian packages, as an image's base and its `apt-get install` would leave it.

apt resolves, downloads and verifies into a cache of our own; packages are unpacked, their scripts do not run.
The release is this machine's.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

CACHE = Path(__file__).parents[2] / "var" / "debian"

BASE = ("?essential", "usr-is-merged")
"""What a slim image begins with: the essential packages with all they need, on a merged /usr."""

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# debian:*-slim has none of it either.
_LEFT_OUT = ("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*")


def resolve(packages: Iterable[str]) -> dict[str, Path]:
    """Package -> its file: these packages and all they depend on, downloaded where the cache has none."""
    archives = CACHE / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    install = ["apt-get", *_options(), "--yes", "--no-install-recommends", "install", *packages]
    _know_packages()
    files = _planned(install, archives)
    if all(file.exists() for file in files.values()):
        return files
    if _start([*install, "--download-only"]).returncode:  # the lists may name versions that are gone
        _run(["apt-get", "update"])
        files = _planned(install, archives)
        _run([*install, "--download-only"])
    return files


def _options() -> list[str]:
    """Of apt: nothing is installed, and what it has read of the lists of packages is kept."""
    nothing_installed = CACHE / "status"
    nothing_installed.touch()
    options = {
        "Dir::State::Status": nothing_installed,
        "Dir::Cache": CACHE,
        # Where the machine is a container itself, its apt keeps none.
        "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
        "APT::Sandbox::User": "root",
    }
    return [f"--option={name}={value}" for name, value in options.items()]


def known(packages: Iterable[str]) -> set[str]:
    """Those of these names that are a package, or that another package provides."""
    _know_packages()
    wanted = set(packages)
    text = _run(["apt-cache", *_options(), "showpkg", *sorted(wanted)])
    parts = re.split(r"^Package: ", text, flags=re.MULTILINE)[1:]
    return {
        part.split()[0]
        for part in parts
        if re.search(r"^(Versions|Reverse Provides): \n\S", part, re.MULTILINE)
    }


def _know_packages() -> None:
    """Machines made from images may have no lists of packages."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "update.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            _run(["apt-get", "update"])


def unpack(files: Iterable[Path], root: Path) -> None:
    """Unpacks packages into a new root file system, with the users and groups that base-passwd makes."""
    root.mkdir(parents=True)
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for file in files:
        excluded = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                ["tar", "-x", "--keep-directory-symlink", *excluded, "-C", root],
                stdin=archive.stdout,
                check=True,
            )
        assert archive.returncode == 0, file
    for name in ("passwd", "group"):
        shutil.copyfile(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)


def programs(file: Path) -> set[str]:
    """The names of the programs in a package."""
    listing = _run(["dpkg-deb", "--contents", str(file)])
    paths = (line.split()[5] for line in listing.splitlines())
    return {found[1] for path in paths if (found := re.fullmatch(r"\./(?:usr/)?s?bin/([^/]+)", path))}


def _planned(install: list[str], archives: Path) -> dict[str, Path]:
    """Package -> where apt puts its file: `NAME_VERSION_ARCHITECTURE.deb`, a colon written as %3a."""
    lines = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", _run([*install, "--simulate"]), re.MULTILINE)
    return {
        name: archives / f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"
        for name, version, architecture in lines
    }


def _start(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _run(command: list[str]) -> str:
    done = _start(command)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout
