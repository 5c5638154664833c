"""`up` and `down` as a person calls them: once, twice, after a crash, without root."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.cgroups import Tree
from deploy.lab.handle import LabHandle
from deploy.lab.plan import NODES

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LabHandle]:
    """A lab of the test's own, not started."""
    lab = LabHandle(tmp_path / "lab")
    yield lab
    lab.down()


def nothing_is_left(lab: LabHandle) -> bool:
    tree = Tree(lab.places.cgroup)
    mine = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(lab.directory) in _command(path.parent) and int(path.parent.name) != os.getpid()
    ]
    return not (tree.exists() or lab.places.run.exists() or lab.directory.exists() or mine)


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_down_leaves_nothing_and_twice_is_fine(own: LabHandle) -> None:
    own.up()
    assert "already up" in own.up()

    assert own.down() == "The lab is down.\n"
    assert nothing_is_left(own)
    assert own.down() == "The lab was down already.\n"


def test_down_leaves_nothing_after_everything_it_could_ask_was_killed(own: LabHandle) -> None:
    own.up()
    tree = Tree(own.places.cgroup)
    for group in ("apiserver", "switch", *(f"{node.name}/system" for node in NODES)):
        for process in tree.processes(group):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    own.down()

    assert nothing_is_left(own)


@pytest.mark.parametrize(
    "seconds", [3.0, *(pytest.param(one, marks=pytest.mark.soak) for one in (0.5, 2.0, 4.0))]
)
def test_a_lab_whose_start_was_killed_is_cleared_away(own: LabHandle, seconds: float) -> None:
    starting = subprocess.Popen(own.command("up"), stdout=subprocess.DEVNULL, cwd=PROJECT)
    time.sleep(seconds)
    starting.kill()
    starting.wait()

    own.down()

    assert nothing_is_left(own)


@pytest.mark.soak
def test_a_lab_that_lost_a_node_is_started_anew(own: LabHandle) -> None:
    own.up()
    tree = Tree(own.places.cgroup)
    for process in tree.processes("k8s-node02"):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue

    assert "The lab is up" in own.up()
    assert own.node("k8s-node02", "hostname") == "k8s-node02\n"


def test_a_folder_with_someones_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    lab = LabHandle(tmp_path)

    with pytest.raises(RuntimeError, match="holds files that are not a lab's"):
        lab.up()
    assert lab.down() == "The lab was down already.\n"
    assert (tmp_path / "letter").read_text() == "dear"


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_without_root_one_line_says_so(tmp_path: Path, verb: str) -> None:
    program = "import os, sys; from deploy.lab.__main__ import main; os.setuid(65534); sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "--dir", str(tmp_path / "lab"), verb],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The lab needs root: it makes network namespaces and mounts. Run this with sudo.\n"
