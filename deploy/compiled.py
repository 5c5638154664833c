"""Compiles the reading of packets with mypyc, when podcap is installed in place or its wheel is built.

docs/summary.md says why. The modules stay as they are, and work without; beside each comes an extension
module, which Python prefers.
"""

import hashlib
import os
import shutil
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_READING = Path("workers/summary")
_PACKAGES = ("files", "flows", "layers", "protocols")
_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
_EXTENSIONS = f"{_READING}/**/*{_SUFFIX}"
_DIGEST = _READING / "compiled.sha256"
"""What the modules read like that were compiled."""


class Compiled(BuildHookInterface[BuilderConfig]):
    """Hatch's hook of a build; see pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002, Hatch calls it so
        """Compiles where something has changed, and has what came of it taken into the wheel."""
        root = Path(self.root)
        if not is_compiled(root):
            missing = _missing()
            if missing:
                self.app.display_warning(f"podcap reads packets several times slower: {missing} is missing.")
                return
            _compile(root, Path(self.directory) / "compiled")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(_EXTENSIONS)


def is_compiled(root: Path) -> bool:
    """Whether what is compiled is there, from modules that read as they do now."""
    sources = _sources(root)
    all_there = all(source.with_name(source.stem + _SUFFIX).exists() for source in sources)
    digest = root / _DIGEST
    return all_there and digest.exists() and digest.read_text() == _digest(sources)


def _sources(root: Path) -> list[Path]:
    found = (path for package in _PACKAGES for path in (root / _READING / package).glob("*.py"))
    return sorted(path for path in found if path.name != "__init__.py")


def _digest(sources: Iterable[Path]) -> str:
    # Not by their times: whoever goes back and forth between commits would compile for nothing.
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _missing() -> str:
    """What it takes to compile and is not here; empty when all is."""
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"a C compiler ({compiler})"
    header = Path(sysconfig.get_path("include"), "Python.h")
    return "" if header.exists() else "Python.h (Debian: python3-dev)"


def _compile(root: Path, work: Path) -> None:
    # Only here: who builds without a compiler has no need of them.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    sources = _sources(root)
    digest = _digest(sources)
    modules = [str(source.relative_to(root)) for source in sources]
    shutil.rmtree(work, ignore_errors=True)
    before = Path.cwd()
    os.chdir(root)  # mypyc finds the names of modules from where it stands
    try:
        # Types were checked before; here libraries need not be installed.
        options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={work / 'cache'}"]
        extensions = mypycify(
            [*options, *modules],
            # More makes this code no faster, which mostly calls Python's own, and takes half as long again.
            opt_level="1",
            debug_level="0",
            target_dir=str(work / "c"),
            separate=[(modules, ".".join((*_READING.parts, "compiled")))],
        )
        command = build_ext(Distribution({"name": "podcap", "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(work / "lib"), str(work / "objects")
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
    made = {path.relative_to(work / "lib") for path in (work / "lib").glob(_EXTENSIONS)}
    for path in made:
        # Never written over: a process that has the old one would fall.
        (work / "lib" / path).replace(root / path)
    for path in root.glob(_EXTENSIONS):
        if path.relative_to(root) not in made:
            path.unlink()
    (root / _DIGEST).write_text(digest)
    shutil.rmtree(work)
