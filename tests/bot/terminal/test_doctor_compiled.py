"""`podcap doctor` says whether what reads packets is compiled, from what stands here."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHECK = """
import sys
sys.path.insert(0, sys.argv[1])
from bot.terminal.checks.compiled import compiled
from workers.settings import Settings
for result in compiled(Settings()):
    print(result.status, result.text)
"""


def said(root: Path) -> str:
    argv = [sys.executable, "-I", "-c", CHECK, root]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def change(root: Path) -> None:
    with (root / "workers" / "summary" / "flows" / "bins.py").open("a") as module:
        module.write("# more\n")


def remove(root: Path) -> None:
    (root / "workers" / "summary" / "flows" / "bins.py").unlink()


@pytest.mark.parametrize("otherwise", [change, remove])
def test_what_was_compiled_before_its_source_changed_is_a_warning(
    tmp_path: Path, otherwise: Callable[[Path], None]
) -> None:
    for room in ("bot", "workers"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    assert said(tmp_path) == "ok what reads packets is compiled\n"
    otherwise(tmp_path)
    assert said(tmp_path) == (
        "warning what reads packets was compiled before workers/summary/flows/bins.py changed, which "
        "therefore counts for nothing: run `sh deploy/install-in-place`.\n"
    )


def test_that_nothing_is_compiled_is_a_warning_that_says_what_to_install(tmp_path: Path) -> None:
    for room in ("bot", "workers"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    assert said(tmp_path) == (
        "warning what reads packets is not compiled, so that summaries take five times as long: install gcc, "
        "libc6-dev and python3-dev, then podcap anew.\n"
    )
