"""Compiles the reading of packets with mypyc, when podcap is installed in place or its wheel is built.

docs/summary.md says why. The modules stay as they are, and work without; beside each comes an extension
module, which Python prefers.
"""

import hashlib
import os
import shutil
import sysconfig
from pathlib import Path
from textwrap import shorten
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_READING = Path("workers/summary")
_PACKAGES = ("files", "flows", "layers", "protocols")
_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
_EXTENSIONS = f"{_READING}/**/*{_SUFFIX}"
_DIGESTS = _READING / f"compiled{_SUFFIX}.sha256"
"""What the modules read like that were compiled, as sha256sum lists it; `podcap doctor` looks, too."""


class Compiled(BuildHookInterface[BuilderConfig]):
    """Hatch's hook of a build; see pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles where something has changed; a wheel takes what came of it, in place it stays here."""
        root, work = Path(self.root), Path(self.directory) / "compiled"
        if is_compiled(root):
            build_data["artifacts"].append(_EXTENSIONS)
        else:
            digests = _digests(root)
            wrong = _missing() or _compile(root, work)
            if wrong:
                if version == "editable":
                    _remove(root)  # what is older than its module
                self.app.display_warning(f"podcap reads packets several times slower: {wrong}.")
                return
            if version == "editable":
                _remove(root)
                _place(root, work)
                (root / _DIGESTS).write_text(digests)
            else:  # from where it was compiled: who makes a wheel may not be allowed to write here
                made = (work / "lib").glob(_EXTENSIONS)
                build_data["force_include"] |= {
                    str(path): str(path.relative_to(work / "lib")) for path in made
                }
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002, Hatch calls it so
        """Leaves nothing behind."""
        shutil.rmtree(Path(self.directory) / "compiled", ignore_errors=True)


def is_compiled(root: Path) -> bool:
    """Whether what is compiled is there, from modules that read as they do now."""
    all_there = all(source.with_name(source.stem + _SUFFIX).exists() for source in _sources(root))
    listed = root / _DIGESTS
    return all_there and listed.exists() and listed.read_text() == _digests(root)


def _sources(root: Path) -> list[Path]:
    found = (path for package in _PACKAGES for path in (root / _READING / package).glob("*.py"))
    return sorted(path for path in found if path.name != "__init__.py")


def _digests(root: Path) -> str:
    # Not by their times: whoever goes back and forth between commits would compile for nothing.
    return "".join(
        f"{hashlib.sha256(source.read_bytes()).hexdigest()}  {source.relative_to(root)}\n"
        for source in _sources(root)
    )


def _missing() -> str:
    """What it takes to compile and is not here; empty when all is."""
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"a C compiler ({compiler}) is missing"
    header = Path(sysconfig.get_path("include"), "Python.h")
    return "" if header.exists() else "Python.h (Debian: python3-dev) is missing"


def _compile(root: Path, work: Path) -> str:
    """Leaves extension modules in `work / "lib"`; gives what went wrong, if something did."""
    # Only here: who builds without a compiler has no need of them.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415
    from setuptools.errors import BaseError, CCompilerError  # noqa: PLC0415

    modules = [str(source.relative_to(root)) for source in _sources(root)]
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
    except (BaseError, CCompilerError, OSError, SystemExit) as error:  # the last is mypyc's, of a wrong type
        return f"compiling failed ({shorten(str(error), 200)})"
    finally:
        os.chdir(before)
    return ""


def _place(root: Path, work: Path) -> None:
    """Puts what was compiled beside its modules, each at once; the work may be on another filesystem."""
    for path in (work / "lib").glob(_EXTENSIONS):
        place = root / path.relative_to(work / "lib")
        fresh = place.with_name(f"new-{place.name}")
        shutil.copyfile(path, fresh)
        fresh.replace(place)


def _remove(root: Path) -> None:
    """Removes what was compiled: never written over, because a process that has it would fall."""
    (root / _DIGESTS).unlink(missing_ok=True)
    for path in root.glob(_EXTENSIONS):
        path.unlink()
