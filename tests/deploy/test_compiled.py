"""What reads packets is compiled, from what stands here, and tells the same as the modules by themselves."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from deploy.compiled import is_compiled
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
