"""What reads packets is compiled, from what stands here, and tells the same as the modules by themselves."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.compiled import Compiled, is_compiled
from tests.bench import mixed_traffic
from tests.workers.summary import mutate
from workers.summary.flows import counting

ROOT = Path(__file__).parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
SUMMARIES = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
from workers.summary.files.capturefile import open_capture
from workers.summary.files.packets import PcapError
from workers.summary.flows import counting
print(counting.__file__)
for path in sys.argv[2:]:
    counted = counting.Counting()
    with open(path, "rb") as source:
        try:
            file = open_capture(source)
            counted.file(file)
        except PcapError as error:
            print(error)
            continue
    print(counted.result(), file.trouble)
"""


def summaries(folder: Path, paths: list[Path]) -> tuple[str, list[str]]:
    """Where the modules came from, and what they say of each file."""
    argv = [sys.executable, "-I", "-c", SUMMARIES, folder, *paths]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    module, *told = done.stdout.splitlines()
    return module, told


def test_packets_are_read_by_compiled_code() -> None:
    assert counting.__file__.endswith(SUFFIX)


def test_compiled_modules_and_the_modules_themselves_tell_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(ROOT / "workers", plain / "workers", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    paths = sorted((ROOT / "tests" / "evidence").rglob("*.pcap"))[:40]
    mixed_traffic.write(tmp_path / "mixed.pcap", packets=5_000, flows=200)
    paths.append(tmp_path / "mixed.pcap")
    for number in range(200):
        paths.append(tmp_path / f"{number}.pcap")
        paths[-1].write_bytes(mutate.mutated(number))
    module, told = summaries(ROOT, paths)
    own, by_themselves = summaries(plain, paths)
    assert (module.endswith(SUFFIX), own.endswith(".py")) == (True, True)
    assert len(told) == len(paths)
    assert told == by_themselves


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Of what is compiled one module, and of an extension module what an older one left."""
    layers = tmp_path / "tree" / "workers" / "summary" / "layers"
    layers.mkdir(parents=True)
    for folder in (layers, *layers.parents[:2]):
        (folder / "__init__.py").touch()
    (layers / "one.py").write_text("def one() -> int:\n    return 1\n")
    (layers / f"old{SUFFIX}").touch()
    return tmp_path / "tree"


def hook(tree: Path, work: Path) -> Compiled:
    return Compiled(str(tree), {}, cast("Any", None), cast("Any", None), str(work), "wheel")


def test_in_place_modules_are_compiled_whatever_filesystem_pip_works_on(tree: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as work:
        build = hook(tree, Path(work))
        build.initialize("editable", {})
        build.finalize("editable", {}, "")
        assert not list(Path(work).iterdir())
    assert is_compiled(tree)
    assert not (tree / "workers" / "summary" / "layers" / f"old{SUFFIX}").exists()


def test_where_compiling_fails_podcap_is_installed_with_its_modules_alone(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "false")
    told: dict[str, Any] = {"pure_python": True}
    hook(tree, tmp_path / "work").initialize("editable", told)
    assert told == {"pure_python": True}
    assert "podcap reads packets several times slower: compiling failed" in capsys.readouterr().err
    assert not list(tree.rglob(f"*{SUFFIX}"))


def test_a_wheel_takes_what_was_compiled_and_leaves_the_tree_as_it_is(tree: Path, tmp_path: Path) -> None:
    before = sorted(tree.rglob("*"))
    told: dict[str, Any] = {"force_include": {}}
    hook(tree, tmp_path / "work").initialize("standard", told)
    assert f"workers/summary/layers/one{SUFFIX}" in told["force_include"].values()
    assert all(Path(path).exists() for path in told["force_include"])
    assert sorted(tree.rglob("*")) == before


def test_a_module_that_has_changed_since_is_to_be_compiled_anew(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "workers" / "summary", tmp_path / "workers" / "summary")
    assert is_compiled(tmp_path)
    module = tmp_path / "workers" / "summary" / "flows" / "bins.py"
    as_it_was = module.read_bytes()
    module.write_bytes(as_it_was + b"# more\n")
    assert not is_compiled(tmp_path)
    module.write_bytes(as_it_was)
    module.with_name(f"bins{SUFFIX}").unlink()
    assert not is_compiled(tmp_path)
