"""The image of podcap: what can be built of it without Docker is built, and works far from the repository."""

import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from tests.deploy import debian, dockerfile
from tests.hangs import HANGS

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
FOLDER = ROOT / "deploy" / "podcap"
Run = Callable[..., "subprocess.CompletedProcess[str]"]

TRAVELLING = sorted(path for path in (ROOT / "workers").rglob("*.*") if path.suffix in {".sh", ".pl"})
WHAT_TRAVELS = """
import sys
from workers.agent.script import script
for name in sys.argv[1:]:
    folder, _, file = name.rpartition("/")
    assert script(folder.replace("/", "."), file), name
"""
MIGRATE = """
import sys
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate
engine = open_engine(sys.argv[1])
migrate(engine)
Ledger(engine).ping()
print(sys.modules["workers"].__file__)
"""


@pytest.fixture(scope="module")
def stages() -> list[dockerfile.Stage]:
    return dockerfile.stages(FOLDER / "Dockerfile")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """podcap's wheel in an environment of its own with the locked packages alone; runs a program of it."""
    folder = tmp_path_factory.mktemp("image")
    away = folder / "away"
    away.mkdir()

    def run(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [folder / "venv" / "bin" / argv[0], *argv[1:]],
            cwd=away,
            env={"PATH": f"{folder}/venv/bin:/usr/bin:/bin", "HOME": "/nonexistent"} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANGS,
        )

    def uv(*arguments: str | Path) -> None:
        subprocess.run([UV, "--quiet", *arguments], cwd=ROOT, check=True)

    python = folder / "venv" / "bin" / "python"
    locked = ROOT / "requirements.lock"
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, ROOT)
    uv("venv", "--python", sys.executable, folder / "venv")
    uv("pip", "install", "--python", python, "--require-hashes", "--only-binary", ":all:", "-r", locked)
    uv("pip", "install", "--python", python, "--no-deps", "--no-index", *folder.glob("*.whl"))
    return run


def test_the_command_podcap_says_its_version(installed: Run) -> None:
    done = installed("podcap", "--version")
    assert re.fullmatch(r"podcap \d+\.\d+\.\d+\n", done.stdout), done.stderr


def test_the_scripts_that_travel_to_the_node_are_in_the_wheel(installed: Run) -> None:
    names = [str(path.relative_to(ROOT)) for path in TRAVELLING]
    assert len(names) >= 7
    done = installed("python", "-c", WHAT_TRAVELS, *names)
    assert done.returncode == 0, done.stderr


def test_what_reads_packets_is_compiled_in_the_wheel(installed: Run) -> None:
    program = "from workers.summary.flows import counting; print(counting.__file__)"
    done = installed("python", "-c", program)
    assert re.search(r"site-packages/.*\.so$", done.stdout.strip()), done.stderr


def test_the_ledgers_migrations_are_in_the_wheel(installed: Run, tmp_path: Path) -> None:
    done = installed("python", "-c", MIGRATE, f"sqlite:///{tmp_path}/podcap.db")
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout


def test_each_process_begins_there_and_ends_with_one_line_that_names_what_is_missing(
    installed: Run, tmp_path: Path
) -> None:
    processes = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert set(processes) == {"bot", "worker", "beat"}

    def ended(name: str) -> "subprocess.CompletedProcess[str]":
        argv = processes[name].replace(".venv/bin/", "").split()
        return installed(*argv, PODCAP_DATABASE_URL=f"sqlite:///{tmp_path}/{name}.db")

    # One after the other: the first compiles for the others what it imports.
    for done in map(ended, processes):
        assert done.returncode != 0
        assert "SLACK_BOT_TOKEN is not set: " in done.stderr
        assert "Traceback" not in done.stderr


def test_a_capture_filter_is_compiled_by_an_installed_podcap(installed: Run) -> None:
    program = "from workers.request.capture_filter import check; check('port 80')"
    done = installed("python", "-c", program)
    assert done.returncode == 0, done.stderr


def test_the_last_stage_runs_as_a_number_that_is_not_root(stages: list[dockerfile.Stage]) -> None:
    (user,) = stages[-1].all("USER")
    uid, _, gid = user.partition(":")
    assert uid.isdigit()
    assert gid.isdigit()
    assert int(uid) >= 10000


def test_the_last_stage_has_what_podcap_starts_and_nothing_that_builds(
    stages: list[dockerfile.Stage],
) -> None:
    assert stages[-1].packages == {"ca-certificates", "libpcap0.8", "python3", "tshark"}
    assert "chmod a-s" in stages[-1].all("RUN")[0]


def test_python_packages_come_from_lock_files_with_hashes_or_from_this_folder(
    stages: list[dockerfile.Stage],
) -> None:
    commands = [part for run in stages[0].all("RUN") for part in run.split("&&") if "pip install" in part]
    assert len(commands) == 3
    assert all("--require-hashes" in command or "--no-index" in command for command in commands)


def test_the_lock_of_the_builder_is_part_of_the_developers_lock() -> None:
    locks = (FOLDER / "build.lock", ROOT / "requirements-dev.lock")
    pins = [re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE) for lock in locks]
    assert any(pin.startswith("hatchling==") for pin in pins[0])
    assert set(pins[0]) <= set(pins[1])


def test_every_file_that_is_copied_is_there_and_let_through(stages: list[dockerfile.Stage]) -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    copied = [source for rest in stages[0].all("COPY") for source in rest.split()[:-1]]
    assert sorted(copied) == sorted(let_through)
    assert all((ROOT / source).exists() for source in copied)
    (across,) = stages[1].all("COPY")
    assert across.startswith(f"--from={stages[0].name} ")


def test_every_package_is_one_of_debians(stages: list[dockerfile.Stage]) -> None:
    wanted = stages[0].packages | stages[1].packages
    assert debian.known(wanted) == wanted
    assert debian.known(["no-such-package"]) == set()


def test_both_images_have_the_same_base(stages: list[dockerfile.Stage]) -> None:
    (agent,) = dockerfile.stages(ROOT / "deploy" / "agent" / "Dockerfile")
    assert {stage.base for stage in stages} == {agent.base}
    assert fnmatch(agent.base, "debian:*-slim")
